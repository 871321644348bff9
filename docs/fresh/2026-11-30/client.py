"""A client that treats (PROTOCOL.md 2.0). Usage: client.py LOGFILE"""
import os, random, select, sys, time, tty
import wire as w

MODES = 'BOOT DISARMED SELFTEST READY ARMED ACTIVE PAUSED STOPPING SAFE'.split()
BOOT, DISARMED, SELFTEST, READY, ARMED, ACTIVE, PAUSED, STOPPING, SAFE = range(9)
CAUSES = ('NONE LEASE_LAPSED OVER_SUCTION FLOW_WITHOUT_CONTACT VALVE_STUCK_OPEN NO_FLOW DWELL SENSOR_INVALID '
          'SENSOR_FROZEN SENSORS_DISAGREE SWITCH_FAULT LINK_ERRORS BROWN_OUT OVERHEAT LOOP_STALL WASTE_FULL '
          'FILTER_LOADED HOPPER_EMPTY TIP_CHANGED ENVELOPE CONTACT_TOO_LONG SELF_TEST RESET_STORM NO_SUCTION '
          'EXPOSURE').split()
REFUSALS = ('NONE WRONG_MODE OUT_OF_ENVELOPE STREAM_NOT_HEALTHY BAD_TOKEN SWITCH_PRESSED CAUSE_STANDS '
            'SELF_TEST_FAILED NOT_CONFIGURED NOT_UNDERSTOOD BUSY VERSION NO_SUCH_RECORD LOCKED').split()
LOGCODES = ('? BOOT MODE TRIP SAFE_REACHED STOP RESET CONFIG ARM SESSION SWITCH FAULT_INJECTED SELF_TEST').split()
P_LEASE, P_ARMED, P_SWITCH, P_CONTACT, P_SUCTION, P_NO_TRIP, P_EXPOSURE, P_REQUESTED, P_B = (1 << i for i in range(9))
PERMITS = 'LEASE ARMED SWITCH CONTACT SUCTION NO_TRIP EXPOSURE REQUESTED CHANNEL_B'.split()
I_CLOSED, I_REST, I_CONTACT, I_VALVE, I_PUMP, I_VENT, I_MOTION, I_CONFIGURED = (1 << i for i in range(8))
INPUTS = 'CLOSED REST CONTACT VALVE PUMP VENT MOTION CONFIGURED'.split()
WISH_PUMP, WISH_FLOW = 1, 2
NORMAL, EMERGENCY = 0, 1
CAP_MOTION, CAP_SIMULATED = 1, 2
FLOWING = 500            # mg/min: a flow sensor cannot tell less from none
STILL_MAX, SEAL_MAX = 0.8, 5.5      # seconds; the unit trips at 2 and 8, and a hand takes a second
HAND = 4.0               # seconds that a hand may take (log-1: about 1)
ZONE_MG = 2000
PLAN = dict(suction_max_pa=30000, flow_max_mg_per_min=8000, suction_min_pa=10000, tip=1)
SUCTION_PA, FLOW_MG = 20000, 6000


def bits(value, names):
    return '+'.join(n for i, n in enumerate(names) if value >> i & 1) or '-'


class Failed(Exception):
    pass


class Client:
    def __init__(self, logname):
        self.log = open(logname, 'x', buffering=1)
        self.t0 = time.monotonic()
        self.remark('log begins ' + time.strftime('%F %T') + ', times are seconds from here')
        self.fd = os.open('unit', os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.hand_fd = os.open('hand', os.O_WRONLY | os.O_APPEND)
        self.run, self.synced = bytearray(), False
        self.session = 0
        self.hello_seq = 0
        self.bad_times = []
        self.refused = []              # requests that were refused
        self.requests = 0
        self.frames = 0
        self.first_flow = None
        self.capabilities = 0
        self.setpoints_on = False
        self.next_setpoint = 0.0
        self.new_session(0)

    def new_session(self, session):
        self.session = session
        self.periodic_seq = self.shot_seq = 0
        self.seen_periodic = 0
        self.tele = self.status = self.stopped = None
        self.tele_at = self.now()
        self.answer = None
        self.waiting = None
        self.config = None
        self.loop = getattr(self, 'loop', random.randrange(65536))
        self.wish = self.suction = self.flow = 0
        self.zone_total = self.zone_flowed = 0
        self.still_since = self.seal_since = None
        self.last_setpoint_at = None

    # -- log and hand

    def now(self):
        return time.monotonic() - self.t0

    def remark(self, text):
        line = f'{self.now():9.4f} # {text}'
        self.log.write(line + '\n')
        print(line)

    def note(self, arrow, data, text):
        self.log.write(f'{self.now():9.4f} {arrow} {data.hex()} {text}\n')

    def hand(self, word):
        self.remark(f'hand: {word}')
        os.write(self.hand_fd, word.encode() + b'\n')

    @staticmethod
    def show(f):
        x = dict(f.fields)
        if 'mode' in x:
            x['mode'] = MODES[x['mode']]
        if 'cause' in x:
            x['cause'] = CAUSES[x['cause']]
        if 'refusal' in x:
            x['refusal'] = REFUSALS[x['refusal']] if x['refusal'] < len(REFUSALS) else x['refusal']
        if 'permits' in x:
            x['permits'] = bits(x['permits'], PERMITS)
        if 'inputs' in x:
            x['inputs'] = bits(x['inputs'], INPUTS)
        for k in ('schema', 'token', 'detail', 'host_nonce', 'device_nonce', 'boot_id', 'defects'):
            if k in x:
                x[k] = hex(x[k])
        retry = ' RETRY' if f.flags & w.RETRY else ''
        return f'{f.name}{retry} s={f.session:08x} q={f.seq} ' + ' '.join(f'{k}={v}' for k, v in x.items())

    # -- sending

    @staticmethod
    def after(seq):
        return seq % 65535 + 1          # 1 to 65535, never 0

    def send(self, name, seq, fields, retry=False, session=None, lead=True):
        session = self.session if session is None else session
        flags = w.BY_NAME[name].flags | (w.RETRY if retry else 0)
        data = (b'\0' if lead else b'') + w.encode(name, session, seq, fields, flags)
        rest = data
        while rest:
            rest = rest[os.write(self.fd, rest):]
        self.note('->', data, self.show(w.Frame(name, w.TO_DEVICE, flags, session, seq, fields)))

    def send_setpoint(self):
        self.periodic_seq = self.after(self.periodic_seq)
        self.loop = (self.loop + 1) % 65536
        self.send('Setpoint', self.periodic_seq, dict(
            lease_ms=200, loop_counter=self.loop, echo_tick_ms=self.tele['tick_ms'], suction_pa=self.suction,
            flow_mg_per_min=self.flow, wish=self.wish, treatment=self.config['treatment'] if self.config else 0,
            exposure_left_mg=self.exposure_left()), lead=False)
        self.last_setpoint_at = self.now()

    def exposure_left(self):
        used = self.zone_flowed
        if self.status and self.zone_total is not None:
            used = max(used, (self.status['crystal_total_mg'] - self.zone_total) % 2**32)
        return max(0, int(ZONE_MG - used))

    # -- receiving

    def read(self, timeout):
        ready, _, _ = select.select([self.fd], [], [], max(0.0, timeout))
        if not ready:
            return
        try:
            data = os.read(self.fd, 4096)
        except OSError as e:
            raise Failed(f'port: {e}')
        for b in data:
            if b:
                self.run.append(b)
                continue
            run, self.run = bytes(self.run), bytearray()
            if not self.synced:
                self.synced = True          # may be the end of a frame: thrown away
                if run:
                    self.note('<-', run + b'\0', 'before the first zero: thrown away')
            elif run:
                self.heard(run)

    def heard(self, run):
        try:
            f = w.decode(run, w.TO_HOST)
            text = self.show(f)
            if f.name not in ('Ident', 'Stopped') and f.session != self.session:
                raise w.Bad('SESSION')
        except w.Bad as e:
            reason = e.args[0]
            self.note('<-', run + b'\0', f'BAD {reason}')
            if reason != 'UNKNOWN':
                self.bad_times.append(self.now())
            return
        self.frames += 1
        if f.name in ('Telemetry', 'Status'):
            if not w.newer(f.seq, self.seen_periodic):
                self.note('<-', run + b'\0', text + ' STALE')
                return
            self.seen_periodic = f.seq
        self.note('<-', run + b'\0', text)
        if f.name == 'Telemetry':
            self.take_telemetry(f.fields)
        elif f.name == 'Status':
            self.status = f.fields
            if self.zone_total is None:
                self.zone_total = f.fields['crystal_total_mg']
        elif f.name == 'Stopped':
            self.stopped = f.fields
        elif self.waiting and (f.name == 'Ident') == (self.waiting[0] == 'Hello') \
                and f.fields['request_seq'] == self.waiting[1]:
            x = f.fields
            if f.name == 'Ident' and not x['refusal'] and (x['major'], x['schema']) == (w.MAJOR, w.SCHEMA):
                self.new_session(w.session_of(self.nonce, x['device_nonce']))   # TELEMETRY may be right behind
            self.answer = f
        else:
            self.remark(f'UNSOLICITED {f.name}')

    def take_telemetry(self, t):
        old, self.tele, self.tele_at = self.tele, t, self.now()
        if old is None or old['mode'] != t['mode'] or old['cause'] != t['cause']:
            self.remark(f"unit is {MODES[t['mode']]}, cause {CAUSES[t['cause']]}")
        flow = 0 if t['flow_mg_per_min'] == 65535 else t['flow_mg_per_min']
        if old:
            self.zone_flowed += flow / 60000 * w.age(t['tick_ms'], old['tick_ms'])
        if self.flows() and self.first_flow is None:
            self.first_flow = self.now()
            self.remark(f'FIRST FLOW after {self.first_flow:.3f} s')
        contact = t['inputs'] & I_CONTACT
        if not contact:
            self.seal_since = None
        elif self.seal_since is None:
            self.seal_since = self.now()
        if not contact or t['inputs'] & I_MOTION or t['valve_percent'] <= 1:
            self.still_since = None
        elif self.still_since is None:
            self.still_since = self.now()

    def flows(self):
        t = self.tele
        return bool(t and t['inputs'] & I_VALVE and FLOWING <= t['flow_mg_per_min'] < 65535)

    def mode(self):
        return self.tele['mode'] if self.tele else None

    # -- the loop

    def step(self, until):
        """Read for a moment and keep the setpoint stream; returns when something may have changed."""
        if self.setpoints_on and self.tele and self.now() >= self.next_setpoint:
            self.send_setpoint()
            self.next_setpoint = max(self.next_setpoint + 0.05, self.now() + 0.03)
        wake = min(until, self.next_setpoint) if self.setpoints_on and self.tele else until
        self.read(min(0.05, max(0.0005, wake - self.now())))
        if self.session and self.now() - self.tele_at > 1.0:
            raise Failed('no telemetry for 1 s: unit gone')
        if self.mode() in (ARMED, ACTIVE, PAUSED, STOPPING):
            recent = [x for x in self.bad_times if self.now() - x < 10]
            if len(recent) > 5 or len(self.bad_times) > 40:
                raise Failed('too many bad frames while armed')

    def wait(self, what, condition, timeout, need=True, modes=None):
        until = self.now() + timeout
        while not condition():
            if modes and self.tele and self.mode() not in modes:
                raise Failed(f"waiting for {what}: mode {MODES[self.mode()]}, cause {CAUSES[self.tele['cause']]}")
            if self.now() >= until:
                if need:
                    raise Failed(f'{what} did not come in {timeout} s')
                self.remark(f'{what} did not come in {timeout} s')
                return False
            self.step(until)
        return True

    def _idle(self, until):
        while self.now() < until:
            self.step(until)

    # -- one-shots

    def request(self, name, fields=None, session=None):
        if name == 'Hello':
            seq = self.hello_seq = self.after(self.hello_seq)
        else:
            seq = self.shot_seq = self.after(self.shot_seq)
        self.waiting, self.answer = (name, seq), None
        self.requests += 1
        for n, delay in enumerate((0.025, 0.05, 0.1, 0.2, 0.4)):
            self.send(name, seq, fields or {}, retry=n > 0, session=session)
            until = self.now() + delay
            while self.answer is None and self.now() < until:
                self.step(until)
            if self.answer:
                break
        answer, self.waiting, self.answer = self.answer, None, None
        if answer is None:
            if name != 'Hello' and self.tele:      # unknown: TELEMETRY resolves it
                last = self.tele['last_request_seq']
                self.remark(f'{name}: no answer; last_request_seq {last}')
            raise Failed(f'{name}: no answer')
        x = answer.fields
        if answer.name in ('Result', 'Ident') and x['refusal']:
            self.refused.append(f"{name}: {REFUSALS[x['refusal']]}")
            self.remark(f"REFUSED {self.refused[-1]}")
        return x

    def must(self, name, **fields):
        x = self.request(name, fields)
        if x['outcome'] or x['refusal']:
            raise Failed(f"{name} refused: {REFUSALS[x['refusal']]}")
        self.remark(f"{name} done, detail {x['detail']:#x}")
        return x['detail']

    def stop(self, kind):
        """Repeat STOP every 20 ms until a mode without flow and a shut valve are seen, 2 s at most."""
        safe_modes = (BOOT, DISARMED, SAFE) + ((STOPPING,) if kind == NORMAL else ())
        self.stopped = None
        began, sent, before = self.now(), 0, self.tele_at

        def confirmed(x):
            return x and x['mode'] in safe_modes and x['valve_percent'] <= 1

        while True:
            self.send('Stop', 0, dict(kind=kind), retry=sent > 0)
            sent += 1
            until = self.now() + 0.02
            while self.now() < until:
                self.step(until)
                for source, x in (('STOPPED', self.stopped),
                                  ('TELEMETRY', self.tele if self.tele_at > before else None)):
                    if confirmed(x):
                        self.remark(f"STOP confirmed by {source} after {self.now() - began:.3f} s, {sent} sent: mode "
                                    f"{MODES[x['mode']]}, valve {x['valve_percent']} %, suction {x['suction_pa']} Pa")
                        return
            if self.now() - began > 2:
                raise Failed('STOP not confirmed')

    # -- the course of things

    def open_session(self):
        until = self.now() + 8
        while True:
            if self.now() > until:
                raise Failed('no session')
            self.nonce = random.randrange(2**32)
            try:
                x = self.request('Hello', dict(major=w.MAJOR, minor=w.MINOR, schema=w.SCHEMA, host_nonce=self.nonce), 0)
            except Failed as e:
                self.remark(str(e))
                self._idle(self.now() + 0.1)
                continue
            if x['refusal'] == 10:
                self._idle(self.now() + 0.1)
                continue
            if x['refusal'] or x['major'] != w.MAJOR or x['schema'] != w.SCHEMA:
                raise Failed(f"HELLO: host is {w.MAJOR}.{w.MINOR} {w.SCHEMA:#x}, unit is "
                             f"{x['major']}.{x['minor']} {x['schema']:#x}")
            break
        self.capabilities = x['capabilities']
        self.remark(f"SESSION {self.session:#x}, serial {x['serial']}, capabilities "
                    f"{bits(x['capabilities'], ['MOTION_SENSOR', 'SIMULATED'])}")
        self.wait('telemetry', lambda: self.tele, 1)
        self.wait('status', lambda: self.status, 1)
        self.remark(f"defects {self.status['defects']:#x}, hopper {self.status['hopper_mg']} mg")
        if self.mode() == SAFE:
            self.leave_safe()

    def leave_safe(self):
        cause = self.tele['cause']
        self.remark(f'SAFE because of {CAUSES[cause]}')
        self.hand('release')
        self.wait('released switch', self.released, HAND)
        self.lift()
        self.wait('shut valve', lambda: self.tele['valve_percent'] <= 1, 2)
        self.remark('the person has let go and lifted: taken for the acknowledgement')
        self.must('Reset', cause=cause)
        self.wait('DISARMED', lambda: self.mode() == DISARMED, 1)
        self.remark('SAFE is left')

    def released(self):
        return self.tele['inputs'] & (I_CLOSED | I_REST) == I_REST and not self.tele['permits'] & P_SWITCH

    def prepare(self, treatment):
        """CONFIG, setpoints, SELFTEST, ARM."""
        config = dict(PLAN, treatment=treatment)
        self.wish = self.suction = self.flow = 0
        check = self.must('Config', **config)
        if check != w.config_check(config):
            raise Failed('CONFIG: check value differs')
        self.config = config
        self.remark('check value of CONFIG agrees')
        self.zone_flowed = 0
        self.zone_total = self.status['crystal_total_mg'] if self.status else None
        self.setpoints_on, self.next_setpoint = True, self.now()
        first = (self.loop + 1) % 65536
        self.wait('first accepted setpoint', lambda: self.tele['lease_left_ms'] and
                  (self.tele['loop_counter'] - first) % 65536 < 32768, 1)
        healthy = self.now() + 1.15
        if not self.released():
            raise Failed('hand switch is not released')
        token = self.must('SelfTest')
        self.wait('self-test', lambda: self.mode() == SELFTEST, 0.5, need=False)
        self.wait('READY', lambda: self.mode() == READY, 4, modes=(SELFTEST, READY))
        self.remark('self-test passed')
        self._idle(healthy)
        self.must('Arm', token=token, treatment=treatment)
        self.wish, self.suction, self.flow = WISH_PUMP | WISH_FLOW, SUCTION_PA, FLOW_MG
        self.wait('ARMED', lambda: self.mode() == ARMED, 0.5)

    ARMED_MODES = (ARMED, ACTIVE, PAUSED)

    def put_on_skin(self):
        self.hand('place')
        self.wait('contact', lambda: self.tele['inputs'] & I_CONTACT, HAND, modes=self.ARMED_MODES)
        self.wait('suction', lambda: self.tele['permits'] & P_SUCTION, 2, need=False, modes=self.ARMED_MODES)

    def lift(self):
        self.hand('lift')
        self.wait('lifted', lambda: not self.tele['inputs'] & I_CONTACT, HAND)
        self._idle(self.now() + 0.5)

    def press(self):
        self.hand('press')
        self.wait('ACTIVE', lambda: self.mode() == ACTIVE, HAND, modes=self.ARMED_MODES)
        self.wait('flow', self.flows, 2, modes=(ACTIVE,))

    def flow_for(self, seconds):
        """Crystals flow for so long; the hand strokes where the tip would stand still for too long."""
        got, last, strokes, began = 0.0, self.now(), 0, self.now()
        while got < seconds:
            self.step(self.now() + 0.02)
            now = self.now()
            if self.flows():
                got += now - last
            last = now
            if self.mode() != ACTIVE:
                raise Failed(f"in flow: mode {MODES[self.mode()]}, cause {CAUSES[self.tele['cause']]}")
            if now - began > seconds * 4 + 5:
                raise Failed('flow does not come')
            still = self.still_since and self.capabilities & CAP_MOTION and now - self.still_since > STILL_MAX
            if still or (self.seal_since and now - self.seal_since > SEAL_MAX):
                strokes += 1
                self.lift()
                self.hand('place')
                self.wait('flow', self.flows, HAND + 2, modes=(ACTIVE,))
                last = self.now()
        self.remark(f'crystals flowed for {got:.2f} s with {strokes} lifts; exposure left {self.exposure_left()} mg')

    def end_in_order(self):
        self.wish, self.flow = WISH_PUMP, 0
        self.stop(NORMAL)
        self.wait('DISARMED', lambda: self.mode() == DISARMED, 5, modes=(STOPPING, DISARMED))
        self.wait('vented line', self.vented, 2)
        t = self.tele
        self.remark(f"ENDED: mode DISARMED, valve {t['valve_percent']} % (shut), flow {t['flow_mg_per_min']} mg/min, "
                    f"suction {t['suction_pa']} / {t['suction_b_pa']} Pa, inputs {bits(t['inputs'], INPUTS)} (vented)")
        self.setpoints_on, self.wish, self.suction = False, 0, 0

    def vented(self):
        t = self.tele
        return (t['valve_percent'] <= 1 and t['suction_pa'] <= 3000 and t['suction_b_pa'] <= 3000
                and t['inputs'] & I_VENT and not t['inputs'] & (I_VALVE | I_PUMP))

    def fall_silent(self):
        self.remark('FALLS SILENT in mid-flow')
        self.setpoints_on = False
        quiet = self.last_setpoint_at
        self.wait('SAFE', lambda: self.mode() == SAFE, 1)
        self.remark(f"TOLD WHY: {CAUSES[self.tele['cause']]}, {self.now() - quiet:.3f} s after the last setpoint")
        self.wait('shut valve', lambda: self.tele['valve_percent'] <= 1, 1)
        self.remark(f'valve shut {self.now() - quiet:.3f} s after the last setpoint')
        self._idle(self.now() + 0.5)
        self.wish = self.suction = self.flow = 0
        self.setpoints_on, self.next_setpoint = True, self.now()
        self.wait('lease', lambda: self.tele['lease_left_ms'], 1, need=False)

    def read_log(self, count):
        newest = self.request('LogRead', dict(record_seq=1)).get('newest_seq', 0)
        for n in range(max(1, newest - count + 1), newest + 1):
            x = self.request('LogRead', dict(record_seq=n))
            if 'code' in x:
                arg = {'MODE': MODES, 'TRIP': CAUSES, 'RESET': CAUSES}.get(LOGCODES[x['code']])
                self.remark(f"record {x['record_seq']} tick {x['tick_ms']}: {LOGCODES[x['code']]} "
                            f"{arg[x['arg']] if arg and x['arg'] < len(arg) else hex(x['arg'])}")

    def treat(self):
        self.open_session()
        # first treatment
        treatment = random.randrange(1, 2**32 - 1)
        self.prepare(treatment)
        self.put_on_skin()
        self.press()
        self.flow_for(3.0)
        self.hand('release')
        self.wait('PAUSED', lambda: self.mode() == PAUSED, HAND, modes=(ACTIVE, PAUSED))
        self.wait('shut valve', lambda: self.tele['valve_percent'] <= 1, 1)
        self.remark('paused, valve shut')
        self.lift()
        self.put_on_skin()
        self.press()
        self.flow_for(1.0)
        self.hand('release')
        self.wait('PAUSED', lambda: self.mode() == PAUSED, HAND, modes=(ACTIVE, PAUSED))
        self.end_in_order()
        self.lift()
        # second treatment: silence
        self.prepare(treatment + 1)
        self.put_on_skin()
        self.press()
        self.flow_for(0.8)
        self.fall_silent()
        self.leave_safe()
        self.read_log(10)
        self.setpoints_on = False
        self.remark('ALL DONE')

    def run_all(self):
        try:
            self.treat()
            return 0
        except (Failed, KeyboardInterrupt) as e:
            self.remark(f'FAILED: {e}')
            try:
                self.setpoints_on = False
                self.stop(EMERGENCY)
                self.hand('release')
                self.hand('lift')
                self._idle(self.now() + 0.3)
            except (Failed, OSError) as e2:
                self.remark(f'and: {e2}')
            return 1
        finally:
            self.remark(f'{self.requests} requests, refused: {self.refused or "none"}; bad frames heard: '
                        f'{len(self.bad_times)}; frames heard: {self.frames}; first flow: {self.first_flow}')


if __name__ == '__main__':
    sys.exit(Client(sys.argv[1]).run_all())
