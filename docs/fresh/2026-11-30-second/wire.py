"""Codec from PROTOCOL.md."""
import struct
POLY = 0xF4ACFB13
def _refl(x, n=32):
    return int(format(x, '0%db' % n)[::-1], 2)
_RP = _refl(POLY)
_T = []
for i in range(256):
    c = i
    for _ in range(8):
        c = (c >> 1) ^ (_RP if c & 1 else 0)
    _T.append(c)
def crc(data, before=0):
    r = before ^ 0xFFFFFFFF
    for b in data:
        r = (r >> 8) ^ _T[(r ^ b) & 255]
    return r ^ 0xFFFFFFFF
SCHEMA = 0xC75AD0BE
DEV, HOST = 'to_device', 'to_host'
DIRB = {DEV: 1, HOST: 2}
SEED = {}
for d in (DEV, HOST):
    SEED[d, 'schema'] = crc(struct.pack('<IB', SCHEMA, DIRB[d]))
    SEED[d, 'fixed'] = crc(bytes([DIRB[d]]))
assert crc(b'123456789') == 0x1697D06A

U = 65535
class Msg:
    def __init__(s, t, name, way, fam, seed, flags, fields):
        s.type, s.name, s.way, s.family, s.seed, s.flags = t, name, way, fam, seed, flags
        s.fields = fields  # (name, fmt, max, unknown)
        s.fmt = '<' + ''.join(f[1] for f in fields)
        s.size = struct.calcsize(s.fmt)
def F(spec):
    out = []
    for part in spec.split():
        n, f, *mx = part.split(':')
        top = {'B': 255, 'H': 65535, 'I': 0xFFFFFFFF}[f]
        unk = None
        if mx and mx[0] == 'u': m, unk = 65534, 65535
        else: m = int(mx[0]) if mx else top
        out.append((n, f, m, unk))
    return out
MSGS = [
 Msg(0x01, 'Hello', DEV, 'request', 'fixed', 5, F('major:B minor:B schema:I host_nonce:I')),
 Msg(0x02, 'Ident', HOST, 'reply', 'fixed', 5, F('request_seq:H refusal:B major:B minor:B schema:I serial:I boot_id:I device_nonce:I firmware:H capabilities:B')),
 Msg(0x03, 'Result', HOST, 'reply', 'schema', 5, F('request_seq:H outcome:B:1 refusal:B:13 detail:I')),
 Msg(0x10, 'Config', DEV, 'request', 'schema', 5, F('treatment:I suction_max_pa:H flow_max_mg_per_min:H suction_min_pa:H tip:B')),
 Msg(0x11, 'SelfTest', DEV, 'request', 'schema', 5, []),
 Msg(0x12, 'Arm', DEV, 'request', 'schema', 5, F('token:I treatment:I')),
 Msg(0x14, 'Reset', DEV, 'request', 'schema', 5, F('cause:B:24')),
 Msg(0x18, 'LogRead', DEV, 'request', 'schema', 1, F('record_seq:I')),
 Msg(0x19, 'LogRecord', HOST, 'reply', 'schema', 1, F('request_seq:H record_seq:I tick_ms:I code:H:12 arg:I newest_seq:I')),
 Msg(0x30, 'Setpoint', DEV, 'periodic', 'schema', 4, F('lease_ms:H loop_counter:H echo_tick_ms:I suction_pa:H:50000 flow_mg_per_min:H:12000 wish:B:3 treatment:I exposure_left_mg:H')),
 Msg(0x40, 'Telemetry', HOST, 'periodic', 'schema', 4, F('tick_ms:I mode:B:8 cause:B:24 permits:H:511 inputs:B valve_percent:B:100 suction_pa:H:u suction_b_pa:H:u flow_mg_per_min:H:u lease_left_ms:H loop_counter:H last_request_seq:H set_suction_pa:H set_flow_mg_per_min:H')),
 Msg(0x41, 'Status', HOST, 'periodic', 'schema', 0, F('tick_ms:I crystal_total_mg:I contact_total_ms:I hopper_mg:I waste_percent:B:100 filter_pa:H:u pump_deg_c:B supply_mv:H bad_frames:H defects:H')),
 Msg(0x7e, 'Stopped', HOST, 'stop', 'fixed', 4, F('tick_ms:I mode:B:8 valve_percent:B:100 suction_pa:H:u')),
 Msg(0x7f, 'Stop', DEV, 'stop', 'fixed', 4, F('kind:B:1')),
]
BYNAME = {m.name: m for m in MSGS}
BYTYPE = {m.type: m for m in MSGS}
RELIABLE, RETRY, MUST = 1, 2, 4

def cobs(data):
    out = bytearray(); block = bytearray()
    for b in data:
        if b: block.append(b)
        else:
            out.append(len(block) + 1); out += block; block.clear()
    out.append(len(block) + 1); out += block
    return bytes(out)
def uncobs(run):
    out = bytearray(); i = 0
    while i < len(run):
        c = run[i]
        if c == 0 or i + c > len(run): return None
        seg = run[i + 1:i + c]
        if 0 in seg: return None
        out += seg; i += c
        if i < len(run) and c != 255: out.append(0)
    return bytes(out)

def pack(name, session, seq, fields, flags=None):
    m = BYNAME[name]
    fl = m.flags if flags is None else flags
    vals = [fields[f[0]] for f in m.fields]
    for f, v in zip(m.fields, vals):
        assert 0 <= v <= f[2] or v == f[3], (f, v)
    raw = struct.pack('<BBIH', m.type, fl, session, seq) + struct.pack(m.fmt, *vals)
    return raw + struct.pack('<I', crc(raw, SEED[m.way, m.seed]))
def encode(*a, **k):
    return cobs(pack(*a, **k)) + b'\0'

class Bad(Exception):
    def __init__(s, reason): s.reason = reason; Exception.__init__(s, reason)
class Frame:
    def __init__(s, m, flags, session, seq, fields, raw):
        s.msg, s.name, s.flags, s.session, s.seq, s.f, s.raw = m, m.name, flags, session, seq, fields, raw
def decode(run, way):
    """run: bytes between two zeros, not empty. Judges COBS, CRC, LENGTH, FLAGS, RANGE / TYPE, UNKNOWN."""
    if len(run) > 39: raise Bad('LENGTH')
    raw = uncobs(run)
    if raw is None: raise Bad('COBS')
    if not raw: raise Bad('LENGTH')
    m = BYTYPE.get(raw[0])
    if m is None or m.way != way:
        if not 12 <= len(raw) <= 38: raise Bad('LENGTH')
        if crc(raw[:-4], SEED[way, 'schema']) != int.from_bytes(raw[-4:], 'little'): raise Bad('CRC')
        if raw[1] & ~7: raise Bad('FLAGS')
        raise Bad('TYPE' if raw[1] & MUST else 'UNKNOWN')
    if len(raw) < 5 or crc(raw[:-4], SEED[way, m.seed]) != int.from_bytes(raw[-4:], 'little'): raise Bad('CRC')
    if len(raw) != 12 + m.size: raise Bad('LENGTH')
    t, fl, ses, seq = struct.unpack('<BBIH', raw[:8])
    if fl & ~7: raise Bad('FLAGS')
    if m.family == 'stop': pass
    elif m.family in ('request', 'reply'):
        if fl & ~RETRY != m.flags: raise Bad('FLAGS')
    elif fl != m.flags: raise Bad('FLAGS')
    vals = struct.unpack(m.fmt, raw[8:-4])
    for f, v in zip(m.fields, vals):
        if not (0 <= v <= f[2] or v == f[3]): raise Bad('RANGE')
    return Frame(m, fl, ses, seq, {f[0]: v for f, v in zip(m.fields, vals)}, raw)

def newer(a, b): return 0 < (a - b) % 65536 < 32768
def age(now, old): return (now - old) % 2**32
def session_of(h, d): return crc(struct.pack('<II', h, d)) or 1
def lease(ms): return min(200, max(100, ms))
def echo_fresh(sent, now, echo): return echo in sent and age(now, echo) <= 100
def config_check(f): return crc(struct.pack('<IHHHB', f['treatment'], f['suction_max_pa'], f['flow_max_mg_per_min'], f['suction_min_pa'], f['tip']))
def config_ok(f):
    mn = max(8000, f['suction_min_pa'])
    return bool(f['treatment'] and f['tip'] and f['suction_max_pa'] <= 50000 and 500 <= f['flow_max_mg_per_min'] <= 12000 and mn <= f['suction_max_pa'])
def may_open(ms): return ms >= 300
def next_seq(n): return n % 65535 + 1
