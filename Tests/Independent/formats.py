"""The formats of docs/formats.md, written from that page alone with the cryptography package and hashlib.

Nothing here was taken from the Swift sources: where both arrive at the same bytes, the page says enough.
Whatever is refused raises Refused with the reason that the page gives it.
"""

import base64
import hashlib
import json
import math
import re
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

sys.setrecursionlimit(20_000)  # JSON of 2,048 levels is read.


class Refused(Exception):
    def __init__(self, reason=None):
        super().__init__(reason)
        self.reason = reason


# Notation


def frame(*parts):
    """Each part behind its length; text as UTF-8, numbers in decimal, None as the empty part."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in map(as_bytes, parts))


def as_bytes(part):
    if part is None:
        return b""
    if isinstance(part, int):
        return str(part).encode("ascii")
    return part.encode("utf-8") if isinstance(part, str) else part


def read_frame(data):
    parts, place = [], 0
    while place < len(data):
        if len(data) - place < 4:
            raise Refused()
        length = int.from_bytes(data[place : place + 4], "big")
        place += 4
        if len(data) - place < length:
            raise Refused()
        parts.append(data[place : place + length])
        place += length
    return parts


def sha256(data):
    return hashlib.sha256(data).digest()


def forgiving_base64(text):
    """What a browser's atob takes; None for anything else."""
    if not isinstance(text, str):
        return None
    text = re.sub("[\t\n\f\r ]", "", text)
    if len(text) % 4 == 0:
        text = re.sub("={1,2}$", "", text)
    if len(text) % 4 == 1 or re.fullmatch("[A-Za-z0-9+/]*", text) is None:
        return None
    return base64.b64decode(text + "=" * (-len(text) % 4))


def strict_base64(text):
    """Only what a writer writes; None for anything else."""
    data = forgiving_base64(text)
    return data if data is not None and base64.b64encode(data).decode("ascii") == text else None


INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII
)
EARLIEST, LATEST = -62_167_219_200_000, 253_402_300_799_999


def read_instant(text):
    """Milliseconds since 1970, or None."""
    match = INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute = (int(match.group(index)) for index in range(1, 6))
    second, fraction = int(match.group(6) or 0), match.group(7) or ""
    if not (1 <= month <= 12 and 1 <= day <= days_in(month, year) and minute < 60 and second < 60):
        return None
    ends_day = hour == 24 and minute == 0 and second == 0 and not fraction.strip("0")
    if hour > 23 and not ends_day:
        return None
    offset = 0
    if match.group(9):
        hours, minutes = int(match.group(10)), int(match.group(11))
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 60 + minutes) * (1 if match.group(9) == "+" else -1)
    minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - offset
    instant = (minutes * 60 + second) * 1000 + int((fraction + "000")[:3])
    return instant if EARLIEST <= instant <= LATEST else None


def days_in(month, year):
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]


def days_since_epoch(year, month, day):
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400
    return days + sum(days_in(earlier, year) for earlier in range(1, month)) + day - 1 - 719_162


def write_instant(milliseconds):
    days, rest = divmod(milliseconds, 86_400_000)
    year = 1970 + days // 366 if days >= 0 else 1970 + days // 365
    while days_since_epoch(year + 1, 1, 1) <= days:
        year += 1
    day, month = days - days_since_epoch(year, 1, 1) + 1, 1
    while day > days_in(month, year):
        day, month = day - days_in(month, year), month + 1
    second, millisecond = divmod(rest, 1000)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{millisecond:03}"
    return f"{year:04}-{month:02}-{day:02}T{clock}Z"


def read_json(text, levels=2048):
    """One JSON value without half surrogate pairs and without too many levels."""
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        deepest = max(deepest, depth)
    if deepest > levels:
        raise ValueError("too deep")

    def constant(name):
        raise ValueError(name)

    value = json.loads(text, parse_constant=constant)
    refuse_halves(value)
    return value


def refuse_halves(value):
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            found.encode("utf-8")  # A half surrogate pair raises a ValueError here.
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += list(found) + list(found.values())


def write_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Names


def check_identifier(text, reason):
    data = text.encode("utf-8") if isinstance(text, str) else b""
    if not 1 <= len(data) <= 256 or any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in text):
        raise Refused(reason)


def check_table(text, reason):
    if re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,62}", text, re.ASCII) is None:
        raise Refused(reason)


def by_pair(record):
    return (record[0].encode("utf-8"), record[1].encode("utf-8"))


def make_scope(records):
    """Unique (table, id) pairs in the order of the frame."""
    for table, identifier in records:
        check_table(table, "identifier")
        check_identifier(identifier, "identifier")
    return checked_count(sorted(set(records), key=by_pair))


def checked_count(records):
    if not records:
        raise Refused("empty")
    if len(records) > 1000:
        raise Refused("too-many-records")
    return records


def read_scope(tables, record_ids):
    """From the two lists of a grant, which must stand exactly as they were written."""
    checked_count(record_ids)
    records = []
    for joined in record_ids:
        table, colon, identifier = joined.partition(":")
        if not colon:
            raise Refused("not-a-record-name")
        check_table(table, "identifier")
        check_identifier(identifier, "identifier")
        records.append((table, identifier))
    encoded = [joined.encode("utf-8") for joined in record_ids]
    if any(left >= right for left, right in zip(encoded, encoded[1:])):
        raise Refused("not-sorted-and-unique")
    records.sort(key=by_pair)
    if tables != scope_tables(records):
        raise Refused("tables-do-not-match")
    return records


def scope_tables(records):
    return sorted({table for table, _ in records}, key=lambda table: table.encode("utf-8"))


def scope_record_ids(records):
    return sorted((f"{table}:{identifier}" for table, identifier in records), key=lambda text: text.encode("utf-8"))


def flat(records):
    return [part for record in records for part in record]


def scope_frame(records):
    return frame("mandate/v2/scope", len(records), *flat(records))


# Keys


def hkdf(master, salt, info):
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=as_bytes(salt), info=as_bytes(info))
    return derivation.derive(master)


def check_master(master, reason):
    if len(master) != 32:
        raise Refused(reason)


def utf16(text):
    return text.encode("utf-16-be")


def canonical_scope_v1(tables, record_ids):
    lists = (",".join(sorted(names, key=utf16)) for names in (tables, record_ids))
    return "mana-ai-mission-grant:v1:tables={}:ids={}".format(*lists)


def mission_key_v1(master, version, mission, tables, record_ids):
    check_master(master, "master-key-length")
    if version != "v1":
        raise Refused("unsupported-version")
    return hkdf(master, mission, canonical_scope_v1(tables, record_ids))


def record_key_info(user, table, identifier):
    return frame("mandate/v2/record-key", user, table, identifier)


def record_key(master, user, table, identifier):
    check_master(master, "master-key")
    check_identifier(user, "user")
    check_table(table, "table")
    check_identifier(identifier, "record")
    return hkdf(master, b"", record_key_info(user, table, identifier))


def mission_claim(user, mission, grant_id, records):
    return sha256(frame(user, mission, grant_id, len(records), *flat(records)))


def mission_key_v2(master, user, mission, grant_id, records):
    check_master(master, "master-key")
    check_identifier(user, "user")
    check_identifier(mission, "mission")
    info = frame("mandate/v2/mission-key", mission_claim(user, mission, grant_id, records))
    return hkdf(master, mission, info)


def key_fingerprint(spki):
    return sha256(spki)


def key_id(spki):
    return key_fingerprint(spki)[:16].hex()


# Grants


def lifetime_end(issued_at, wanted):
    lifetime = 604_800_000 if wanted is None else min(max(wanted, 3_600_000), 2_592_000_000)
    return write_instant(math.floor(read_instant(issued_at) + lifetime))


def unwrap(private_key, wrapped, label):
    """None for whatever is wrong."""
    if len(wrapped) != private_key.key_size // 8:
        return None
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label or None)
    try:
        return private_key.decrypt(wrapped, oaep)
    except ValueError:
        return None


def grant_v1(wrapped_key, mission, tables, record_ids, issued_at, expires_at):
    return {
        "wrappedKey": wrapped_key,
        "derivation": {
            "version": "v1",
            "missionId": mission,
            "tables": sorted(tables, key=utf16),
            "recordIds": sorted(record_ids, key=utf16),
        },
        "issuedAt": issued_at,
        "expiresAt": expires_at,
    }


def open_grant_v1(grant, keys, now):
    if not keys:
        raise Refused("not-configured")
    member = grant.get if isinstance(grant, dict) else {}.get
    expires_at = read_instant(member("expiresAt"))
    if expires_at is None or expires_at < read_instant(now):
        raise Refused("expired")
    wrapped = forgiving_base64(member("wrappedKey"))
    if wrapped is None:
        raise Refused("malformed")
    opened = next((key for key in (unwrap(private, wrapped, b"") for private in keys) if key is not None), None)
    if opened is None:
        raise Refused("wrap-rejected")
    derivation = member("derivation")
    allowed = derivation.get("recordIds") if isinstance(derivation, dict) else None
    if len(opened) != 32 or not is_texts(allowed):
        raise Refused("malformed")
    return opened, allowed


def is_texts(value):
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def grant_v2(wrapped_key, identifier, grant_id, user, mission, records, issued_at, expires_at):
    return {
        "wrappedKey": wrapped_key,
        "keyId": identifier,
        "grantId": grant_id,
        "derivation": {
            "version": "v2",
            "userId": user,
            "missionId": mission,
            "tables": scope_tables(records),
            "recordIds": scope_record_ids(records),
        },
        "issuedAt": issued_at,
        "expiresAt": expires_at,
    }


def grant_label(grant_id, identifier, user, mission, issued_at, expires_at, records):
    digest = sha256(scope_frame(records)).hex()
    return frame("mandate/v2/grant", grant_id, identifier, user, mission, issued_at, expires_at, digest)


UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def read_grant_v2(grant):
    """The wrap, the label and the claims that stand in the JSON; nothing is proved yet."""
    derivation = grant.get("derivation") if isinstance(grant, dict) else None
    if not isinstance(derivation, dict) or derivation.get("version") != "v2":
        raise Refused("malformed")
    texts = [grant.get(name) for name in ("wrappedKey", "keyId", "grantId", "issuedAt", "expiresAt")]
    texts += [derivation.get(name) for name in ("userId", "missionId")]
    lists = [derivation.get(name) for name in ("tables", "recordIds")]
    if not is_texts(texts) or not all(map(is_texts, lists)):
        raise Refused("malformed")
    wrapped_key, identifier, grant_id, issued_at, expires_at, user, mission = texts
    try:
        records = read_scope(*lists)
    except Refused:
        raise Refused("malformed") from None
    for name in (user, mission):
        check_identifier(name, "malformed")
    for text in (issued_at, expires_at):
        instant = read_instant(text)
        if instant is None or write_instant(instant) != text:
            raise Refused("malformed")
    wrapped = strict_base64(wrapped_key)
    well_spelled = UUID.fullmatch(grant_id) and re.fullmatch("[0-9a-f]{32}", identifier)
    if wrapped is None or not well_spelled:
        raise Refused("malformed")
    label = grant_label(grant_id, identifier, user, mission, issued_at, expires_at, records)
    return wrapped, label, {"keyId": identifier, "user": user, "mission": mission, "expiresAt": expires_at}


def open_grant_v2(grant, keys, user, mission, now):
    """keys: from key id to private key."""
    if not keys:
        raise Refused("not-configured")
    wrapped, label, claims = read_grant_v2(grant)
    private = keys.get(claims["keyId"])
    opened = unwrap(private, wrapped, label) if private else None
    if opened is None or len(opened) != 32 or (claims["user"], claims["mission"]) != (user, mission):
        raise Refused("wrap-rejected")
    if read_instant(now) >= read_instant(claims["expiresAt"]):
        raise Refused("expired")
    return opened, label


# Keyring


def keyring_aad(grant_id, table, identifier):
    return frame("mandate/v2/keyring", grant_id, table, identifier)


def open_keyring_row(mission_key, row, grant_id, table, identifier):
    if len(row) != 60:
        raise Refused()
    try:
        return AESGCM(mission_key).decrypt(row[:12], row[12:], keyring_aad(grant_id, table, identifier))
    except InvalidTag:
        raise Refused() from None


# Vault


def kek_id(kek):
    return "v2:" + sha256(kek)[:4].hex()


def vault_aad(user, key_id):
    return frame("mandate/v2/vault", user, key_id)


def key_check(master, user):
    return hkdf(master, b"", frame("mandate/v2/key-check", user))


def read_vault_row(kek, key_id, wrapped, iv):
    if key_id != kek_id(kek):
        raise Refused()
    sealed, nonce = forgiving_base64(wrapped), forgiving_base64(iv)
    if sealed is None or nonce is None or len(sealed) != 48 or len(nonce) != 12:
        raise Refused()
    return nonce, sealed


def open_vault_row(kek, user, key_id, iv, sealed):
    try:
        return AESGCM(kek).decrypt(iv, sealed, vault_aad(user, key_id))
    except InvalidTag:
        raise Refused() from None


# Fields


def seal_field(version, key, iv, message, aad=b""):
    sealed = AESGCM(key).encrypt(iv, message, aad or None)
    halves = (base64.b64encode(half).decode("ascii") for half in (iv, sealed))
    return "enc:{}:{}.{}".format(version, *halves)


def take_apart(version, text):
    """iv and ciphertext with tag."""
    prefix = f"enc:{version}:"
    if not text.startswith(prefix):
        raise Refused("ciphertext-malformed")
    left, dot, right = text[len(prefix) :].partition(".")
    if not dot:
        raise Refused("ciphertext-malformed")
    read = forgiving_base64 if version == 1 else strict_base64
    iv, sealed = read(left), read(right)
    if iv is None or sealed is None or len(iv) != 12:
        raise Refused("decrypt-failed")
    return iv, sealed


def open_field(version, key, text, aad=b""):
    """iv, what was sealed, and the JSON text that a reader goes on with."""
    iv, sealed = take_apart(version, text)
    try:
        if len(sealed) < 16:
            raise InvalidTag
        message = AESGCM(key).decrypt(iv, sealed, aad or None)
    except InvalidTag:
        raise Refused("ciphertext-tampered-or-wrong-key") from None
    bare = message[3:] if message.startswith(b"\xef\xbb\xbf") else message
    repaired = bare.decode("utf-8", "replace")
    try:
        read_json(repaired)
    except ValueError:
        raise Refused("decrypt-failed") from None
    return iv, message, repaired


def field_aad(user, table, identifier, field):
    return frame("mandate/v2/field", user, table, identifier, field)


# Sealed copies


def copy_digest(current):
    return sha256(b"".join(take_apart(1, current))).hex()


def copy_aad(user, table, identifier, field, digest):
    return frame("mandate/v2/sealed", user, table, identifier, field, digest)


def read_copy(text):
    """(of, value, refused) of an entry; None where it cannot be read."""
    if text is None:
        return None
    try:
        entry = read_json(text)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    of, value, refused = (entry.get(name) for name in ("of", "value", "refused"))
    if not isinstance(of, str) or re.fullmatch("[0-9a-f]{64}", of) is None:
        return None
    value, refused = (found if isinstance(found, str) else None for found in (value, refused))
    if (value is None) == (refused is None) or refused not in (None, "moved-ciphertext"):
        return None
    return of, value, refused


def open_copy(key, current, entry, place):
    digest = copy_digest(current)
    copy = read_copy(entry)
    if copy is None or copy[0] != digest:
        raise Refused("not-sealed-yet")
    if copy[2] is not None:
        raise Refused(copy[2])
    return open_field(2, key, copy[1], copy_aad(*place, digest))


# Audit


def audit_frame(row):
    members = "userId seq ts missionId grantId iterationId table recordId status reason purpose batch ofSeq"
    return frame("mandate/v2/audit", *(row[name] for name in members.split()))


def audit_hash(previous, row):
    return sha256(previous + audit_frame(row))


# Public keys, as much DER as the page describes


def der(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 128 + size]) + length.to_bytes(size, "big") + content


RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")


def write_spki(modulus, exponent):
    numbers = b"".join(der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (modulus, exponent))
    return der(0x30, der(0x30, RSA_ENCRYPTION) + der(3, b"\0" + der(0x30, numbers)))


def take(tag, data):
    """The content of the first element, which must have that tag, and what stands behind it."""
    if len(data) < 2 or data[0] != tag:
        raise Refused("not-an-rsa-spki")
    size = data[1] - 128 if data[1] > 127 else 0
    length = int.from_bytes(data[2 : 2 + size], "big") if size else data[1]
    start = 2 + size
    return data[start : start + length], data[start + length :]


def read_spki(spki):
    """The bits of the one RSA key that this is. Reading is lenient, and what is read must be written the same way."""
    _, key = take(0x30, take(0x30, spki)[0])
    modulus, rest = take(2, take(0x30, take(3, key)[0][1:])[0])
    modulus, exponent = (int.from_bytes(number, "big") for number in (modulus, take(2, rest)[0]))
    if write_spki(modulus, exponent) != spki:
        raise Refused("not-an-rsa-spki")
    bits = modulus.bit_length()
    if bits < 2048:
        raise Refused("too-small")
    if bits > 4096:
        raise Refused("too-large")
    if exponent != 65537:
        raise Refused("odd-exponent")
    return bits
