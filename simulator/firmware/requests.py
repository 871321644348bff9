"""The one-shots: what each answers and why it refuses. Each runs once; the link repeats."""

from collections.abc import Callable
from typing import Final

from firmware_protocol.catalogue import PROTOCOL_MAJOR
from firmware_protocol.link import Link, session_number
from firmware_protocol.messages import (
    Arm,
    Config,
    Hello,
    Ident,
    LogRead,
    LogRecord,
    Message,
    Reset,
    Result,
    SelfTest,
    WitnessAsk,
    WitnessHead,
    WitnessKeep,
    check_value,
)
from firmware_protocol.schema import SCHEMA_HASH, told
from firmware_protocol.vocabulary import Cause, LogCode, Outcome, Refusal
from simulator.firmware.board import Board
from simulator.firmware.modes import Trigger, allows
from simulator.firmware.setpoints import narrow

_Handler = Callable[..., Message]  # each takes its own type of message
_U32: Final = 0xFFFF_FFFF
_DISARMED_TESTED: Final = {
    True: Refusal.SELF_TEST_FAILED,
    False: Refusal.WRONG_MODE,
}


class Requests:
    """Answers the one-shots of one device."""

    __slots__ = ("_board", "_handlers", "_link")

    def __init__(self, board: Board, link: Link) -> None:
        self._board = board
        self._link = link
        self._handlers: dict[type[Message], _Handler] = {
            Config: self._config,
            SelfTest: self._selftest,
            Arm: self._arm,
            Reset: self._reset,
            LogRead: self._log_read,
            WitnessKeep: self._witness_keep,
            WitnessAsk: self._witness_ask,
        }

    def answer(self, message: Message, seq: int) -> bytes:
        """Execute one request and return the bytes of its answer."""
        if isinstance(message, Hello):
            return self._hello(message, seq)
        handler = self._handlers.get(type(message))
        if handler is None:
            return self._link.reply(seq, _refused(seq, Refusal.NOT_UNDERSTOOD))
        return self._link.reply(seq, handler(message, seq))

    def _hello(self, hello: Hello, seq: int) -> bytes:
        board = self._board
        refusal = Refusal.NONE
        if hello.major != PROTOCOL_MAJOR or hello.schema != SCHEMA_HASH:
            refusal = Refusal.VERSION
        elif not allows(board.mode, Trigger.SESSION):
            refusal = Refusal.BUSY
        nonce = board.nonces() & _U32
        identity = board.identity
        answer = self._link.reply(
            seq,
            Ident(
                request_seq=seq,
                refusal=refusal,
                major=PROTOCOL_MAJOR,
                minor=identity.minor,
                schema=SCHEMA_HASH,
                serial=identity.serial,
                boot_id=identity.boot_id,
                device_nonce=nonce,
                firmware=identity.firmware,
                capabilities=identity.capabilities,
            ),
        )
        if refusal is Refusal.NONE:
            session = session_number(hello.host_nonce, nonce)
            self._link.open_session(session, board.now_s, min(hello.minor, identity.minor))
            board.open_session(session)
        return answer

    def _config(self, config: Config, seq: int) -> Result:
        board = self._board
        if not allows(board.mode, Trigger.CONFIGURE):
            return _refused(seq, Refusal.WRONG_MODE)
        envelope = narrow(config)
        if envelope is None:
            return _refused(seq, Refusal.OUT_OF_ENVELOPE)
        board.fire(Trigger.CONFIGURE)
        board.token = 0
        board.a.setpoints.configure(envelope)
        check = check_value(config)
        board.log.add(board.tick_ms, LogCode.CONFIG, check)
        return _done(seq, check)

    def _selftest(self, _: SelfTest, seq: int) -> Result:
        board = self._board
        if not allows(board.mode, Trigger.TEST):
            return _refused(seq, Refusal.WRONG_MODE)
        if not board.a.switch.released:
            return _refused(seq, Refusal.SWITCH_PRESSED)
        board.fire(Trigger.TEST)
        board.selftest.begin()
        board.selftest_failed = False
        board.token = board.nonces() & _U32 or 1
        return _done(seq, board.token)

    def _arm(self, arm: Arm, seq: int) -> Result:
        board = self._board
        refusal = self._why_not_arm(arm)
        if refusal is not Refusal.NONE:
            return _refused(seq, refusal)
        board.fire(Trigger.ARM)
        board.token = 0
        board.log.add(board.tick_ms, LogCode.ARM, arm.treatment)
        return _done(seq)

    def _why_not_arm(self, arm: Arm) -> Refusal:
        board = self._board
        setpoints = board.a.setpoints
        checks = (
            (allows(board.mode, Trigger.ARM), _DISARMED_TESTED[board.selftest_failed]),
            (setpoints.envelope.treatment != 0, Refusal.NOT_CONFIGURED),
            (arm.treatment == setpoints.envelope.treatment, Refusal.NOT_CONFIGURED),
            (board.a.sensors.tip == setpoints.envelope.tip, Refusal.OUT_OF_ENVELOPE),
            (board.token != 0 and arm.token == board.token, Refusal.BAD_TOKEN),
            (board.a.lease.left_ms(board.tick_ms) > 0, Refusal.STREAM_NOT_HEALTHY),
            (setpoints.healthy(board.tick_ms), Refusal.STREAM_NOT_HEALTHY),
            (not self._link.limit_exceeded(board.now_s), Refusal.STREAM_NOT_HEALTHY),
            (board.a.switch.released, Refusal.SWITCH_PRESSED),
        )
        return next((refusal for holds, refusal in checks if not holds), Refusal.NONE)

    def _reset(self, reset: Reset, seq: int) -> Result:
        board = self._board
        if not allows(board.mode, Trigger.RESET):
            return _refused(seq, Refusal.WRONG_MODE)
        if board.locked:
            return _refused(seq, Refusal.LOCKED)
        if not board.a.switch.released:
            return _refused(seq, Refusal.SWITCH_PRESSED)
        # A host of an older minor version names a new cause by the word that it was told.
        same = reset.cause == told(board.cause, self._link.minor)
        if not board.gone(board.cause if same else Cause(reset.cause)):
            return _refused(seq, Refusal.CAUSE_STANDS)
        board.reset()
        return _done(seq)

    def _log_read(self, read: LogRead, seq: int) -> LogRecord:
        log = self._board.log
        record = log.read(read.record_seq)
        if record is None:
            return LogRecord(seq, 0, 0, 0, 0, log.newest_seq & _U32)
        return LogRecord(
            seq, record.seq, record.tick_ms, record.code, record.arg, log.newest_seq & _U32
        )

    def _witness_keep(self, keep: WitnessKeep, seq: int) -> Result:
        if self._board.policy.running:  # it comes at disarm, when nothing else is to be done
            return _refused(seq, Refusal.WRONG_MODE)
        journal = (keep.journal_high, keep.journal_low)
        row_hash = (keep.hash_high, keep.hash_middle, keep.hash_low)
        decided = keep.decided == 1
        if not self._board.memory.witness.keep(journal, keep.row, row_hash, decided=decided):
            return _refused(seq, Refusal.WITNESS_AHEAD)
        return _done(seq)

    def _witness_ask(self, ask: WitnessAsk, seq: int) -> WitnessHead:
        witness = self._board.memory.witness
        kept = witness.of((ask.journal_high, ask.journal_low))
        if kept is None:
            return WitnessHead(seq, 0, 0, 0, 0, 0, len(witness.kept))
        return WitnessHead(seq, kept.row, *kept.hash, kept.decided, len(witness.kept))


def _done(seq: int, detail: int = 0) -> Result:
    return Result(seq, Outcome.DONE, Refusal.NONE, detail)


def _refused(seq: int, refusal: Refusal) -> Result:
    return Result(seq, Outcome.FAILED, refusal, 0)
