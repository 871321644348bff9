import os, sys, time, select, random, errno, glob, collections
import wire as w
HERE = os.path.dirname(os.path.abspath(__file__))
MODES = 'BOOT DISARMED SELFTEST READY ARMED ACTIVE PAUSED STOPPING SAFE'.split()
BOOT, DISARMED, SELFTEST, READY, ARMED, ACTIVE, PAUSED, STOPPING, SAFE = range(9)
CAUSES = 'NONE LEASE_LAPSED OVER_SUCTION FLOW_WITHOUT_CONTACT VALVE_STUCK_OPEN NO_FLOW DWELL SENSOR_INVALID SENSOR_FROZEN SENSORS_DISAGREE SWITCH_FAULT LINK_ERRORS BROWN_OUT OVERHEAT LOOP_STALL WASTE_FULL FILTER_LOADED HOPPER_EMPTY TIP_CHANGED ENVELOPE CONTACT_TOO_LONG SELF_TEST RESET_STORM NO_SUCTION EXPOSURE'.split()
REFUSALS = 'NONE WRONG_MODE OUT_OF_ENVELOPE STREAM_NOT_HEALTHY BAD_TOKEN SWITCH_PRESSED CAUSE_STANDS SELF_TEST_FAILED NOT_CONFIGURED NOT_UNDERSTOOD BUSY VERSION NO_SUCH_RECORD LOCKED'.split()
LOGCODES = '- BOOT MODE TRIP SAFE_REACHED STOP RESET CONFIG ARM SESSION SWITCH FAULT_INJECTED SELF_TEST'.split()
CLOSED, REST, CONTACT, VALVE, PUMP, VENT, MOTION, CONFIGURED = (1 << i for i in range(8))
FLOWING = 500

class Gone(Exception): pass
class Failed(Exception): pass

n = 1
while os.path.exists(f'{HERE}/log-{n}.txt'): n += 1
LOG = open(f'{HERE}/log-{n}.txt', 'x', buffering=1)
T0 = time.monotonic()

class Client:
    def __init__(s):
        import serial
        s.port = serial.Serial(f'{HERE}/unit', 115200, timeout=0, write_timeout=1)
        s.buf = bytearray(); s.synced = False
        s.session = None; s.hello_seq = 0; s.ident = None
        s.tele = None; s.tele_at = None; s.status = None; s.stopped = None
        s.bad = collections.deque(); s.refused = []
        s.stream = False; s.sp_next = 0; s.loop = 0; s.set_wish(0, 0, 0)
        s.treatment = 0; s.exposure = 2000.0; s.total0 = None; s.used_int = 0.0
        s.want = None; s.reply = None
        s.still = s.seal = s.sucked = 0; s.warned = False; s.armed_here = False
        s.hello_want = None
    def set_wish(s, suction, flow, wish): s.suction, s.flow, s.wish = suction, flow, wish
    def say(s, *a):
        line = f'{time.monotonic()-T0:9.4f} ## ' + ' '.join(str(x) for x in a)
        LOG.write(line + '\n'); print(line, flush=True)
    def log(s, arrow, data, note):
        LOG.write(f'{time.monotonic()-T0:9.4f} {arrow} {data.hex()}  {note}\n')
    # ---- sending
    def send(s, name, session, seq, f, flags=None):
        m = w.BYNAME[name]
        data = w.encode(name, session, seq, f, flags)
        if m.family in ('request', 'stop'): data = b'\0' + data
        s.log('->', data, f'{name} seq={seq} {f}')
        k = s.port.write(data)
        if k != len(data): raise Failed('short write')
    def setpoint(s):
        s.pseq = w.next_seq(s.pseq); s.loop = (s.loop + 1) % 65536
        s.send('Setpoint', s.session, s.pseq, dict(lease_ms=200, loop_counter=s.loop, echo_tick_ms=s.tele.f['tick_ms'],
            suction_pa=s.suction, flow_mg_per_min=s.flow, wish=s.wish, treatment=s.treatment, exposure_left_mg=max(0, int(s.exposure_left()))))
    def exposure_left(s):
        used = s.used_int
        if s.total0 is not None and s.status: used = max(used, (s.status.f['crystal_total_mg'] - s.total0) % 2**32)
        return s.exposure - used
    # ---- hearing
    def badframe(s, reason, run):
        counts = reason not in ('UNKNOWN', 'STALE', 'UNSOLICITED')
        s.log('<-', run + b'\0', 'BAD ' + reason + ('' if counts else ' (does not count)'))
        if not counts or s.session is None: return
        now = time.monotonic(); s.bad.append(now)
        while s.bad and now - s.bad[0] > 3600: s.bad.popleft()
        if s.armed_here and (len(s.bad) > 40 or sum(now - t <= 10 for t in s.bad) > 5): raise Failed('LINK_ERRORS')
    def hear(s, timeout):
        r, _, _ = select.select([s.port.fileno()], [], [], max(0, timeout))
        if not r: return
        s.buf += s.port.read(4096)
        while True:
            i = s.buf.find(0)
            if i < 0: break
            run = bytes(s.buf[:i]); del s.buf[:i + 1]
            if not s.synced:
                s.synced = True
                if run: s.log('<-', run + b'\0', 'before the first zero: thrown away')
                continue
            if run: s.frame(run)
    def frame(s, run):
        try: f = w.decode(run, w.HOST)
        except w.Bad as e: return s.badframe(e.reason, run)
        if f.name == 'Ident':
            if s.hello_want is None or f.f['request_seq'] != s.hello_want or f.seq != s.hello_want: return s.badframe('UNSOLICITED', run)
            s.log('<-', run + b'\0', f'Ident {f.f}'); s.ident = f; s.hello_want = None; return
        if f.name == 'Stopped':
            s.log('<-', run + b'\0', f'Stopped {f.f}'); s.stopped = f; return
        if s.session is None or f.session != s.session: return s.badframe('SESSION', run)
        if f.msg.family == 'reply':
            if s.want is None or f.f['request_seq'] != s.want or f.seq != s.want: return s.badframe('UNSOLICITED', run)
            s.log('<-', run + b'\0', f'{f.name} {f.f}'); s.reply = f; s.want = None; return
        if not w.newer(f.seq, s.pused): return s.badframe('STALE', run)
        s.pused = f.seq
        s.log('<-', run + b'\0', f'{f.name} seq={f.seq} {f.f}')
        if f.name == 'Status': s.status = f; return
        old, s.tele = s.tele, f; s.tele_at = time.monotonic()
        dt = w.age(f.f['tick_ms'], old.f['tick_ms']) if old else 0
        i = f.f['inputs']
        if f.f['flow_mg_per_min'] not in (65535,) and f.f['flow_mg_per_min'] > 250: s.used_int += f.f['flow_mg_per_min'] * dt / 60000
        if not i & CONTACT: s.still = s.seal = s.sucked = 0; s.warned = False
        else:
            if i & VALVE: s.seal += dt; s.still += dt
            if i & MOTION: s.still = 0; s.warned = False
            s.sucked = s.sucked + dt if f.f['suction_pa'] > 10000 else 0
            if s.ident.f['capabilities'] & 1 and s.still > 1000 and not s.warned: s.warned = True; s.say('WARNING: tip stands still')
        if not old or (old.f['mode'], old.f['inputs'], old.f['cause'], old.f['permits']) != (f.f['mode'], i, f.f['cause'], f.f['permits']):
            s.say('unit', s.show())
    def show(s):
        t = s.tele.f
        return f"{MODES[t['mode']]} cause={CAUSES[t['cause']]} permits={t['permits']:#x} inputs={t['inputs']:#x} valve={t['valve_percent']}% suction={t['suction_pa']}/{t['suction_b_pa']} flow={t['flow_mg_per_min']} lease={t['lease_left_ms']} tick={t['tick_ms']}"
    @property
    def mode(s): return s.tele.f['mode'] if s.tele else None
    @property
    def inputs(s): return s.tele.f['inputs'] if s.tele else 0
    # ---- the loop
    def run(s, cond, timeout, gone=True):
        end = time.monotonic() + timeout
        while True:
            if cond and cond(): return True
            now = time.monotonic()
            if now >= end: return False
            if s.stream and s.tele:
                if now >= s.sp_next:
                    s.setpoint()
                    s.sp_next = max(s.sp_next + 0.05, now + 0.02) if now - s.sp_next < 0.05 else now + 0.05
                nxt = min(end, s.sp_next)
            else: nxt = end
            s.hear(min(nxt - now, 0.05))
            if gone and s.tele_at and time.monotonic() - s.tele_at > 1: raise Gone('no telemetry for 1 s')
            if s.armed_here and s.mode == SAFE: raise Failed('trip: ' + CAUSES[s.tele.f['cause']])
    def need(s, cond, timeout, what):
        if not s.run(cond, timeout): raise Failed('did not come: ' + what + ' | ' + (s.show() if s.tele else 'no telemetry'))
    # ---- session
    def open(s):
        for _ in range(20):
            s.hello_seq = w.next_seq(s.hello_seq)
            nonce = int.from_bytes(os.urandom(4), 'little')
            f = dict(major=2, minor=0, schema=w.SCHEMA, host_nonce=nonce)
            s.ident = None; s.session = None; s.hello_want = s.hello_seq
            for k, wait in enumerate((.025, .05, .1, .2, .4)):
                s.send('Hello', 0, s.hello_seq, f, 7 if k else 5)
                if s.run(lambda: s.ident, wait, gone=False): break
            if not s.ident: continue
            r = s.ident.f['refusal']
            if r == 10:
                s.say('BUSY'); s.run(None, .1, gone=False); continue
            if r: raise Failed(f'IDENT refusal {r}: unit {s.ident.f["major"]}.{s.ident.f["minor"]} host 2.0')
            s.session = w.session_of(nonce, s.ident.f['device_nonce'])
            s.pseq = s.pused = s.oseq = 0; s.tele = s.status = None; s.tele_at = time.monotonic(); s.bad.clear()
            s.treatment = 0
            s.say(f'session {s.session:#010x}', s.ident.f, 'SIMULATED UNIT' if s.ident.f['capabilities'] & 2 else '')
            s.need(lambda: s.tele, 1, 'telemetry'); return
        raise Failed('no session')
    def request(s, name, f, retry_ok=True):
        s.oseq = w.next_seq(s.oseq); s.want = s.oseq; s.reply = None
        m = w.BYNAME[name]
        for k, wait in enumerate((.025, .05, .1, .2, .4)):
            s.send(name, s.session, s.oseq, f, m.flags | (2 if k else 0))
            if s.run(lambda: s.reply, wait): break
        if not s.reply:
            s.want = None; t = s.tele
            s.run(lambda: s.tele is not t, 1)
            done = s.tele is not t and not w.newer(s.oseq, s.tele.f['last_request_seq'])
            raise Failed(f'{name}: outcome unknown, executed={done}')
        if s.reply.name == 'Result' and s.reply.f['outcome']:
            r = REFUSALS[s.reply.f['refusal']]; s.refused.append((name, r)); s.say('REFUSED', name, r); return r
        s.say('done', name, s.reply.f); return 'NONE'
    def stop(s, kind):
        end = time.monotonic() + 2; s.stopped = None
        ok = (BOOT, DISARMED, SAFE) + ((STOPPING,) if kind == 0 else ())
        t0 = s.tele
        def confirmed():
            if s.stopped and s.stopped.f['mode'] in ok and s.stopped.f['valve_percent'] <= 1: return True
            return s.stopped and s.tele is not t0 and s.tele and s.tele.f['mode'] in ok and s.tele.f['valve_percent'] <= 1
        while time.monotonic() < end:
            s.send('Stop', s.session or 0, 0, dict(kind=kind))
            if s.run(confirmed, .02, gone=False): s.say('STOP confirmed', 'STOPPED:', s.stopped.f, '| telemetry', s.show() if s.tele else ''); return True
        s.say('STOP not confirmed'); return False
    # ---- hand
    def hand(s, word, cond, what):
        s.say('hand:', word)
        fd = os.open(f'{HERE}/hand', os.O_WRONLY | os.O_NONBLOCK); os.write(fd, (word + '\n').encode()); os.close(fd)
        if cond: s.need(cond, 4, what)
    def released(s): return s.inputs & REST and not s.inputs & CLOSED
    def let_go(s):
        if not s.released(): s.hand('release', s.released, 'released switch')
    def lift(s):
        if s.inputs & CONTACT: s.hand('lift', lambda: not s.inputs & CONTACT, 'no contact')
    def place(s):
        if not s.inputs & CONTACT: s.hand('place', lambda: s.inputs & CONTACT, 'contact')
    # ---- treatment
    def leave_safe(s):
        cause = s.tele.f['cause']
        s.say('in SAFE because of', CAUSES[cause])
        s.let_go()
        s.need(lambda: s.tele.f['valve_percent'] <= 1, 2, 'valve shut')
        s.say('acknowledged by the operator of this trial:', CAUSES[cause])
        if s.request('Reset', dict(cause=cause)) != 'NONE': raise Failed('RESET refused')
        s.need(lambda: s.mode == DISARMED, 1, 'DISARMED after RESET'); s.say('left SAFE:', s.show())
    def begin(s, number):
        s.set_wish(0, 0, 0)
        cfg = dict(treatment=number, suction_max_pa=30000, flow_max_mg_per_min=6000, suction_min_pa=8000, tip=1)
        if s.request('Config', cfg) != 'NONE': raise Failed('CONFIG')
        if s.reply.f['detail'] != w.config_check(cfg): raise Failed('check value')
        s.say('check value fits'); s.treatment = number
        s.need(lambda: s.status, 1, 'status'); s.total0 = s.status.f['crystal_total_mg']; s.used_int = 0
        s.stream = True; s.sp_next = time.monotonic(); began = time.monotonic()
        s.let_go()
        if s.request('SelfTest', {}) != 'NONE': raise Failed('SELFTEST')
        token = s.reply.f['detail']
        s.need(lambda: s.mode == SELFTEST, 1, 'SELFTEST')
        s.need(lambda: s.mode != SELFTEST, 4, 'end of SELFTEST')
        if s.mode != READY:
            s.run(None, .3); raise Failed(f'self-test failed, defects {s.status.f["defects"]:#x}')
        s.say('self-test passed')
        s.run(None, max(0, began + 1.1 - time.monotonic()))
        s.need(lambda: s.tele.f['lease_left_ms'] > 0, 1, 'lease')
        for _ in range(5):
            r = s.request('Arm', dict(token=token, treatment=number))
            if r != 'STREAM_NOT_HEALTHY': break
            s.run(None, .3)
        if r != 'NONE': raise Failed('ARM ' + r)
        s.set_wish(25000, 4000, 3)
        s.need(lambda: s.mode == ARMED, 1, 'ARMED'); s.armed_here = True
        s.place()
        s.press()
    def press(s):
        s.hand('press', lambda: s.mode == ACTIVE, 'ACTIVE')
    def flow_for(s, ms):
        s.need(lambda: s.tele.f['flow_mg_per_min'] > FLOWING and s.tele.f['flow_mg_per_min'] != 65535, 3, 'flow')
        t0 = s.tele.f['tick_ms']; s.say('CRYSTALS FLOW', s.show())
        while True:
            t = s.tele
            if not s.run(lambda: s.tele is not t, 1): raise Failed('telemetry')
            f = s.tele.f
            if not (f['mode'] == ACTIVE and FLOWING < f['flow_mg_per_min'] < 65535): raise Failed('flow broke off ' + s.show())
            if w.age(f['tick_ms'], t0) >= ms: break
            if s.seal > 7500 or (s.ident.f['capabilities'] & 1 and s.still > 1800): raise Failed('dwell guard of the host: still %d seal %d' % (s.still, s.seal))
        s.say(f'flowed for {w.age(s.tele.f["tick_ms"], t0)} ms', s.show(), f'still={s.still} seal={s.seal} sucked={s.sucked} left={s.exposure_left():.1f} mg')
    def scenario(s):
        s.open()
        s.run(lambda: s.status, .5)
        if s.status: s.say('status', s.status.f)
        if s.mode == SAFE: s.leave_safe()
        s.let_go(); s.lift()
        number = random.randrange(1, 2**32 - 1)
        s.begin(number)
        s.flow_for(3000)
        s.hand('release', lambda: s.mode == PAUSED and s.tele.f['valve_percent'] <= 1, 'PAUSED, valve shut')
        s.say('paused', s.show())
        s.press(); s.flow_for(1000)
        s.say('-- STOP normal')
        if not s.stop(0): raise Failed('STOP normal not confirmed')
        s.armed_here = False
        s.need(lambda: s.mode in (DISARMED, SAFE), 4.5, 'DISARMED')
        s.need(lambda: s.mode == DISARMED and s.tele.f['valve_percent'] <= 1 and s.tele.f['suction_pa'] <= 3000 and s.tele.f['suction_b_pa'] <= 3000 and s.inputs & VENT and not s.inputs & VALVE, 1, 'shut and vented')
        s.say('TREATMENT ENDED IN ORDER: valve shut, line vented:', s.show())
        s.let_go(); s.lift()
        # second treatment
        s.begin(number + 1)
        s.flow_for(1000)
        s.say('-- falling silent'); s.armed_here = False; s.stream = False; s.set_wish(0, 0, 0)
        s.need(lambda: s.mode == SAFE, 2, 'SAFE')
        s.need(lambda: s.tele.f['valve_percent'] <= 1, 1, 'valve shut')
        s.say('STOPPED BY THE UNIT, told cause:', CAUSES[s.tele.f['cause']], s.show())
        s.run(None, .5)
        s.leave_safe()
        s.lift()
        # the unit's own record
        s.request('LogRead', dict(record_seq=0)); top = s.reply.f['newest_seq']
        for k in range(max(1, top - 14), top + 1):
            s.request('LogRead', dict(record_seq=k)); r = s.reply.f
            s.say('record', r['record_seq'], r['tick_ms'], LOGCODES[r['code']], r['arg'])
        s.run(lambda: False, .3); s.say('status', s.status.f)
        s.say('ALL DONE; refused:', s.refused)

c = Client()
try: c.scenario()
except BaseException as e:
    c.say('FAILED', type(e).__name__, e); c.armed_here = False
    try: c.stop(1)
    except Exception as e2: c.say('stop:', e2)
    try: c.let_go(); c.lift()
    except Exception as e2: c.say('hand:', e2)
    raise
