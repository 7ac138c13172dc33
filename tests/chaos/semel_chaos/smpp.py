"""A message centre that spells ids otherwise than it reports them, and whose account others use: what the proxy makes of the
test centre's words, PDU by PDU. Pure."""
import random
import struct

SUBMIT, SUBMIT_RESPONSE, DELIVER, DELIVER_RESPONSE = 0x4, 0x80000004, 0x5, 0x80000005
HEADER = struct.Struct(">IIII")
RECEIPTED_MESSAGE_ID, MESSAGE_STATE, UNDELIVERABLE = 0x001E, 0x0427, 5

# Sequence numbers of what the proxy says by itself; the centre begins with 1.
OURS = 0x6000_0000

#: How an answer spells the id that the report has in decimal.
ANSWERED = {"same": lambda id: id, "decimal": lambda id: f"{int(id):x}", "padded": lambda id: id.zfill(20)}


class Speech:
    """Of one connection. `foreign`: for so many of the messages somebody else's to the same number is reported as well, as
    not delivered."""

    def __init__(self, ids, foreign, seed):
        self.answered, self.foreign, self.dice = ANSWERED[ids], foreign, random.Random(seed)
        self.rest = {"request": b"", "reply": b""}
        self.numbers = {}  # sequence number of a message -> (its destination, its source), as they stand in a PDU
        self.said = 0

    def heard(self, direction, piece):
        """What is passed on of a piece, and of what waited for its end."""
        data, out = self.rest[direction] + piece, b""
        while len(data) >= HEADER.size and len(data) >= (size := HEADER.unpack_from(data)[0]) >= HEADER.size:
            out += getattr(self, direction)(data[:size])
            data = data[size:]
        self.rest[direction] = data
        return out

    def request(self, pdu):
        _, command, _, sequence = HEADER.unpack_from(pdu)
        if command == SUBMIT:
            source, at = address(pdu, pdu.index(b"\0", HEADER.size) + 1)
            self.numbers[sequence] = address(pdu, at)[0], source
        return b"" if command == DELIVER_RESPONSE and sequence >= OURS else pdu

    def reply(self, pdu):
        _, command, status, sequence = HEADER.unpack_from(pdu)
        if command != SUBMIT_RESPONSE:
            return pdu
        numbers = self.numbers.pop(sequence, None)
        if status != 0:
            return pdu
        out = framed(command, status, sequence, self.answered(pdu[HEADER.size:-1].decode()).encode() + b"\0")
        if numbers and self.dice.random() < self.foreign:
            self.said += 1
            out += self.somebody_elses(*numbers)
        return out

    def somebody_elses(self, number, source):
        id = f"other-{self.dice.getrandbits(48)}"
        text = f"id:{id} sub:001 dlvrd:000 submit date:2611290000 done date:2611290000 stat:UNDELIV err:001 text:".encode()
        body = b"\0" + number + source + b"\x04\0\0" + b"\0\0" + b"\0\0\0\0" + bytes([len(text)]) + text + \
            tlv(RECEIPTED_MESSAGE_ID, id.encode() + b"\0") + tlv(MESSAGE_STATE, bytes([UNDELIVERABLE]))
        return framed(DELIVER, 0, OURS + self.said, body)


def address(pdu, at):
    """(type, plan and digits with their end, where the next field begins)"""
    end = pdu.index(b"\0", at + 2) + 1
    return pdu[at:end], end


def tlv(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


def framed(command, status, sequence, body):
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body
