"""Codec of PROTOCOL.md 2.0."""
import struct
from collections import namedtuple

SCHEMA = 0xC75AD0BE
MAJOR, MINOR = 2, 0
TO_DEVICE, TO_HOST = 1, 2
RELIABLE, RETRY, MUST = 1, 2, 4
MAX_RUN, MIN_RAW, MAX_RAW = 39, 12, 38

_TABLE = []
for _i in range(256):
    _c = _i
    for _ in range(8):
        _c = (_c >> 1) ^ (0xC8DF352F if _c & 1 else 0)     # 0xF4ACFB13 reflected
    _TABLE.append(_c)


def crc32(data, start=0):
    c = start ^ 0xFFFFFFFF
    for b in data:
        c = _TABLE[(c ^ b) & 255] ^ (c >> 8)
    return c ^ 0xFFFFFFFF


def seed(direction, fixed):
    return crc32((b'' if fixed else struct.pack('<I', SCHEMA)) + bytes([direction]))


# type: name, direction, flags, fixed seed, [(field, format, highest)]
def _f(text):
    out = []
    for item in text.split():
        name, fmt, *hi = item.split(':')
        out.append((name, fmt, int(hi[0]) if hi else {'B': 255, 'H': 65535, 'I': 2**32 - 1}[fmt]))
    return out


Message = namedtuple('Message', 'type name direction flags fixed fields fmt size family')


def _m(type_, name, direction, flags, fixed, fields, family):
    fields = _f(fields)
    fmt = '<' + ''.join(f[1] for f in fields)
    return Message(type_, name, direction, flags, fixed, fields, fmt, struct.calcsize(fmt), family)


MESSAGES = {m.type: m for m in (
    _m(0x01, 'Hello', TO_DEVICE, 5, True, 'major:B minor:B schema:I host_nonce:I', 'one-shot'),
    _m(0x02, 'Ident', TO_HOST, 5, True, 'request_seq:H refusal:B major:B minor:B schema:I serial:I boot_id:I '
       'device_nonce:I firmware:H capabilities:B', 'one-shot'),
    _m(0x03, 'Result', TO_HOST, 5, False, 'request_seq:H outcome:B:1 refusal:B:13 detail:I', 'one-shot'),
    _m(0x10, 'Config', TO_DEVICE, 5, False, 'treatment:I suction_max_pa:H flow_max_mg_per_min:H '
       'suction_min_pa:H tip:B', 'one-shot'),
    _m(0x11, 'SelfTest', TO_DEVICE, 5, False, '', 'one-shot'),
    _m(0x12, 'Arm', TO_DEVICE, 5, False, 'token:I treatment:I', 'one-shot'),
    _m(0x14, 'Reset', TO_DEVICE, 5, False, 'cause:B:24', 'one-shot'),
    _m(0x18, 'LogRead', TO_DEVICE, 1, False, 'record_seq:I', 'one-shot'),
    _m(0x19, 'LogRecord', TO_HOST, 1, False, 'request_seq:H record_seq:I tick_ms:I code:H:12 arg:I newest_seq:I',
       'one-shot'),
    _m(0x30, 'Setpoint', TO_DEVICE, 4, False, 'lease_ms:H loop_counter:H echo_tick_ms:I suction_pa:H:50000 '
       'flow_mg_per_min:H:12000 wish:B:3 treatment:I exposure_left_mg:H', 'periodic'),
    _m(0x40, 'Telemetry', TO_HOST, 4, False, 'tick_ms:I mode:B:8 cause:B:24 permits:H:511 inputs:B '
       'valve_percent:B:100 suction_pa:H suction_b_pa:H flow_mg_per_min:H lease_left_ms:H loop_counter:H '
       'last_request_seq:H set_suction_pa:H set_flow_mg_per_min:H', 'periodic'),
    _m(0x41, 'Status', TO_HOST, 0, False, 'tick_ms:I crystal_total_mg:I contact_total_ms:I hopper_mg:I '
       'waste_percent:B:100 filter_pa:H pump_deg_c:B supply_mv:H bad_frames:H defects:H', 'periodic'),
    _m(0x7E, 'Stopped', TO_HOST, 4, True, 'tick_ms:I mode:B:8 valve_percent:B:100 suction_pa:H', 'stop'),
    _m(0x7F, 'Stop', TO_DEVICE, 4, True, 'kind:B:1', 'stop'),
)}
BY_NAME = {m.name: m for m in MESSAGES.values()}

Frame = namedtuple('Frame', 'name direction flags session seq fields')


class Bad(Exception):
    """A refused frame; .args[0] is the reason of the table."""


def cobs_encode(raw):
    out = bytearray()
    for block in raw.split(b'\0'):          # a frame is far shorter than 254 bytes
        out += bytes([len(block) + 1]) + block
    return bytes(out)


def cobs_decode(run):
    out, i = bytearray(), 0
    while i < len(run):
        n = run[i]
        if n == 0 or i + n > len(run):
            raise Bad('COBS')
        out += run[i + 1:i + n]
        i += n
        if i < len(run) and n != 255:
            out.append(0)
    return bytes(out)


def encode_raw(name, session, seq, fields, flags=None):
    m = BY_NAME[name]
    body = struct.pack('<BBIH', m.type, m.flags if flags is None else flags, session, seq)
    body += struct.pack(m.fmt, *(fields[f[0]] for f in m.fields))
    return body + struct.pack('<I', crc32(body, seed(m.direction, m.fixed)))


def encode(name, session, seq, fields, flags=None):
    return cobs_encode(encode_raw(name, session, seq, fields, flags)) + b'\0'


def decode(run, direction):
    """One run between zero bytes (without them)."""
    if len(run) > MAX_RUN:
        raise Bad('LENGTH')
    raw = cobs_decode(run)
    if not MIN_RAW <= len(raw) <= MAX_RAW:
        raise Bad('LENGTH')
    type_, flags, session, seq = struct.unpack_from('<BBIH', raw)
    m = MESSAGES.get(type_)
    if m and m.direction != direction:
        m = None
    if crc32(raw[:-4], seed(direction, bool(m and m.fixed))) != struct.unpack('<I', raw[-4:])[0]:
        raise Bad('CRC')
    if flags & ~7:
        raise Bad('FLAGS')
    if m is None:
        raise Bad('TYPE' if flags & MUST else 'UNKNOWN')
    payload = raw[8:-4]
    if len(payload) != m.size:
        raise Bad('LENGTH')
    if m.family != 'stop' and (flags & ~RETRY if m.family == 'one-shot' else flags) != m.flags:
        raise Bad('FLAGS')
    fields = dict(zip((f[0] for f in m.fields), struct.unpack(m.fmt, payload)))
    if any(fields[f[0]] > f[2] for f in m.fields):
        raise Bad('RANGE')
    return Frame(m.name, direction, flags, session, seq, fields)


def newer(a, b):
    return 0 < (a - b) % 65536 < 32768


def age(now, old):
    return (now - old) % 2**32


def session_of(host_nonce, device_nonce):
    return crc32(struct.pack('<II', host_nonce, device_nonce)) or 1


def lease_granted(asked):
    return min(max(asked, 100), 200)


def echo_fresh(sent, now, echo):
    return echo in sent and age(now, echo) <= 100


def config_check(fields):
    return crc32(struct.pack(BY_NAME['Config'].fmt, *(fields[f[0]] for f in BY_NAME['Config'].fields)))


def config_ok(c):
    return (c['treatment'] != 0 and c['tip'] != 0 and 500 <= c['flow_max_mg_per_min'] <= 12000
            and max(c['suction_min_pa'], 8000) <= c['suction_max_pa'] <= 50000)


def may_open(shut_ms):
    return shut_ms >= 300
