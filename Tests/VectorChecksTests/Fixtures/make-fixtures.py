#!/usr/bin/env python3
"""Writes the small vector files that these tests read, with an implementation that is not ours (PyPI's cryptography).

Every file has a case for each way a case can end. RSA keys and OAEP are random, so a second run writes other files
that say the same; run it only to add a case:  python3 make-fixtures.py
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

here = pathlib.Path(__file__).parent


def seeded(sentence, count):
    out, block = b"", 0
    while len(out) < count:
        out += hashlib.sha256(f"verifier fixture: {sentence} / {block}".encode()).digest()
        block += 1
    return out[:count]


def write_json(name, value):
    (here / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def gcm(key, iv, message, aad):
    """SP 800-38D over single AES blocks, because the package takes no IV under 8 bytes; where it does, it must agree."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    subkey = int.from_bytes(block.update(bytes(16)), "big")

    def product(left, right):
        total = 0
        for bit in range(127, -1, -1):
            total ^= right if left >> bit & 1 else 0
            right = right >> 1 ^ (0xE1 << 120 if right & 1 else 0)
        return total

    def ghash(parts):
        digest = 0
        for at in range(0, len(parts), 16):
            digest = product(digest ^ int.from_bytes(parts[at:at + 16], "big"), subkey)
        return digest

    def padded(part):
        return part + bytes(-len(part) % 16)

    counter = int.from_bytes(iv + b"\0\0\0\1", "big") if len(iv) == 12 else ghash(
        padded(iv) + bytes(8) + (len(iv) * 8).to_bytes(8, "big"))
    first, stream = block.update(counter.to_bytes(16, "big")), b""
    for step in range(1, len(message) // 16 + 2):
        value = counter >> 32 << 32 | (counter + step) % (1 << 32)
        stream += block.update(value.to_bytes(16, "big"))
    ciphertext = bytes(a ^ b for a, b in zip(message, stream))
    lengths = (len(aad) * 8).to_bytes(8, "big") + (len(message) * 8).to_bytes(8, "big")
    digest = ghash(padded(aad) + padded(ciphertext) + lengths)
    tag = bytes(a ^ b for a, b in zip(digest.to_bytes(16, "big"), first))
    if 8 <= len(iv) <= 128:
        assert AESGCM(key).encrypt(iv, message, aad) == ciphertext + tag
    return ciphertext, tag


def hkdf(name, ikm, salt, info, count):
    """RFC 5869 in the standard library's HMAC; also gives the extracted key."""
    size = hashlib.new(name).digest_size
    extracted = hmac.new(salt or bytes(size), ikm, name).digest()
    out, block = b"", b""
    for counter in range(1, (count + size - 1) // size + 1):
        block = hmac.new(extracted, block + info + bytes([counter]), name).digest()
        out += block
    return extracted, out[:count]


def rsa_key(bits):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pkcs8(key):
    encoding = serialization.Encoding.DER
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def armoured(der):
    """The loader ignores what the armour calls itself."""
    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN TEST KEY-----", *lines, "-----END TEST KEY-----", ""])


def oaep(key, message, hash_=hashes.SHA256, mask=None, label=b""):
    scheme = padding.OAEP(mgf=padding.MGF1((mask or hash_)()), algorithm=hash_(), label=label or None)
    return key.public_key().encrypt(message, scheme)


large, other, small = rsa_key(2048), rsa_key(2048), rsa_key(1024)


# ── Project Wycheproof's shape ──────────────────────────────────────────────────────────────────────────────────────

def wycheproof(name, algorithm, schema, groups):
    number = 0
    for group in groups:
        for test in group["tests"]:
            number += 1
            test["tcId"] = number
    write_json(name, {"algorithm": algorithm, "schema": schema, "numberOfTests": number, "testGroups": groups})


def gcm_test(name, key_bytes, iv_bytes, aad_bytes, message_bytes, result="valid", spoil=None, comment=""):
    key, iv = seeded(name + " key", key_bytes), seeded(name + " iv", iv_bytes)
    aad, message = seeded(name + " aad", aad_bytes), seeded(name + " message", message_bytes)
    ciphertext, tag = gcm(key, iv, message, aad)
    if spoil is not None:
        tag = bytes([tag[0] ^ spoil]) + tag[1:]
    values = {"key": key, "iv": iv, "aad": aad, "msg": message, "ct": ciphertext, "tag": tag}
    return {"comment": comment, "flags": [], "result": result} | {name: value.hex() for name, value in values.items()}


wycheproof("wycheproof-aes-gcm.json", "AES-GCM", "aead_test_schema_v1.json", [
    {"ivSize": 96, "keySize": 256, "tagSize": 128, "type": "AeadTest", "tests": [
        gcm_test("a", 32, 12, 5, 20), gcm_test("b", 32, 12, 0, 0),
        gcm_test("c", 32, 12, 3, 16, "invalid", spoil=1, comment="tag changed"),
        gcm_test("d", 32, 12, 0, 7, "acceptable", comment="either is fine"),
        gcm_test("e", 32, 12, 0, 7, "acceptable", spoil=4, comment="either is fine, and this one is refused")]},
    {"ivSize": 8, "keySize": 128, "tagSize": 128, "type": "AeadTest", "tests": [gcm_test("f", 16, 1, 0, 16)]},
    {"ivSize": 512, "keySize": 192, "tagSize": 128, "type": "AeadTest", "tests": [gcm_test("g", 24, 64, 9, 33)]},
    {"ivSize": 0, "keySize": 256, "tagSize": 128, "type": "AeadTest", "tests": [
        gcm_test("h", 32, 0, 0, 8, "invalid", comment="an IV of no bytes")]},
])


def hkdf_test(name, ikm, salt, info, size, result="valid"):
    ikm, salt, info = seeded(name + " ikm", ikm), seeded(name + " salt", salt), seeded(name + " info", info)
    okm = hkdf("sha256", ikm, salt, info, size)[1] if result == "valid" else b""
    values = {"ikm": ikm.hex(), "salt": salt.hex(), "info": info.hex(), "size": size, "okm": okm.hex()}
    return {"comment": "", "flags": [], "result": result} | values


wycheproof("wycheproof-hkdf.json", "HKDF-SHA-256", "hkdf_test_schema_v1.json", [
    {"type": "HkdfTest", "keySize": 176, "tests": [
        hkdf_test("a", 22, 13, 10, 42), hkdf_test("b", 22, 0, 0, 1), hkdf_test("c", 22, 65, 2000, 64),
        hkdf_test("d", 22, 13, 10, 255 * 32 + 1, "invalid")]},
])

signer = ed25519.Ed25519PrivateKey.from_private_bytes(seeded("signer", 32))
raw = signer.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
der = signer.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def signature_test(message, change=lambda signature: signature, result="valid"):
    signature = change(signer.sign(message))
    return {"comment": "", "flags": [], "msg": message.hex(), "sig": signature.hex(), "result": result}


wycheproof("wycheproof-ed25519.json", "EDDSA", "eddsa_verify_schema_v1.json", [
    {"type": "EddsaVerify", "publicKeyDer": der.hex(),
     "publicKey": {"type": "EDDSAPublicKey", "curve": "edwards25519", "keySize": 255, "pk": raw.hex()},
     "tests": [
         signature_test(b""), signature_test(b"message"),
         signature_test(b"message", lambda signature: signature[:-1], "invalid"),
         signature_test(b"message", lambda signature: bytes([signature[0] ^ 1]) + signature[1:], "invalid")]},
])


def oaep_group(key, sha, mask, tests):
    return {"type": "RsaesOaepDecrypt", "keySize": key.key_size, "sha": sha, "mgf": "MGF1", "mgfSha": mask,
            "privateKeyPkcs8": pkcs8(key).hex(), "tests": tests}


def oaep_test(message, ciphertext, label=b"", result="valid"):
    values = {"msg": message.hex(), "ct": ciphertext.hex(), "label": label.hex()}
    return {"comment": "", "flags": [], "result": result} | values


wycheproof("wycheproof-rsa-oaep.json", "RSAES-OAEP", "rsaes_oaep_decrypt_schema_v1.json", [
    oaep_group(large, "SHA-256", "SHA-256", [
        oaep_test(b"message", oaep(large, b"message")), oaep_test(b"", oaep(large, b"", label=b"label"), b"label"),
        oaep_test(b"", oaep(large, b"message", label=b"label"), b"another", "invalid"),
        oaep_test(b"", bytes(255), result="invalid")]),
    oaep_group(large, "SHA-512", "SHA-1", [
        oaep_test(b"message", oaep(large, b"message", hashes.SHA512, hashes.SHA1))]),
    oaep_group(small, "SHA-1", "SHA-1", [oaep_test(b"message", oaep(small, b"message", hashes.SHA1))]),
    oaep_group(large, "SHA3-256", "SHA3-256", [oaep_test(b"message", bytes(256))]),
])


# ── Text files ──────────────────────────────────────────────────────────────────────────────────────────────────────

def cavp(name, title, blocks):
    lines = ["# CAVS 14.0", f"# GCM {title} with keysize 256 test information", "", ""]
    for (key, iv, message, aad, tag), cases in blocks:
        bits = zip(["Keylen", "IVlen", "PTlen", "AADlen", "Taglen"], [key, iv, message, aad, tag])
        lines += [f"[{name} = {value}]" for name, value in bits] + [""]
        for number, case in enumerate(cases):
            lines += [f"Count = {number}", *case, ""]
    (here / name).write_bytes("\r\n".join(lines).encode())


def cavp_case(name, bits, order, fail=False):
    key_bits, iv_bits, message_bits, aad_bits, tag_bits = bits
    key, iv = seeded(name + " key", key_bits // 8), seeded(name + " iv", iv_bits // 8)
    aad, message = seeded(name + " aad", aad_bits // 8), seeded(name + " message", message_bits // 8)
    ciphertext, tag = gcm(key, iv, message, aad)
    tag = tag[:tag_bits // 8]
    if fail:
        tag = bytes([tag[0] ^ 1]) + tag[1:]
    values = {"Key": key, "IV": iv, "PT": message, "AAD": aad, "CT": ciphertext, "Tag": tag}
    return ["FAIL" if fail and name == "PT" else f"{name} = {values[name].hex()}" for name in order]


ask, answer = ["Key", "IV", "PT", "AAD", "CT", "Tag"], ["Key", "IV", "CT", "AAD", "Tag", "PT"]
whole, cut, empty = (256, 96, 128, 160, 128), (256, 8, 104, 0, 96), (256, 1024, 0, 0, 128)
cavp("cavp-encrypt.rsp", "Encrypt", [
    (whole, [cavp_case("a", whole, ask), cavp_case("b", whole, ask)]), (cut, [cavp_case("c", cut, ask)]),
    (empty, [cavp_case("d", empty, ask)])])
cavp("cavp-decrypt.rsp", "Decrypt", [
    (whole, [cavp_case("e", whole, answer), cavp_case("f", whole, answer, fail=True)]),
    (cut, [cavp_case("g", cut, answer), cavp_case("h", cut, answer, fail=True)]),
    (empty, [cavp_case("i", empty, answer)])])


def hkdf_case(number, name, hash_, ikm, salt, info, count):
    ikm, salt, info = seeded(f"{number} ikm", ikm), seeded(f"{number} salt", salt), seeded(f"{number} info", info)
    extracted, okm = hkdf(name, ikm, salt, info, count)
    return [f"COUNT = {number}", "", f"Hash = {hash_}", f"IKM  = {ikm.hex()}", f"salt = {salt.hex()}".strip(),
            f"info = {info.hex()}".strip(), f"L    = {count}", f"PRK  = {extracted.hex()}", f"OKM  = {okm.hex()}", ""]


(here / "hkdf.txt").write_text("\n".join(
    ["# Test cases in the manner of RFC 5869", ""] + hkdf_case(1, "sha256", "SHA-256", 22, 13, 10, 42)
    + hkdf_case(2, "sha256", "SHA-256", 80, 0, 0, 82) + hkdf_case(3, "sha1", "SHA-1", 11, 13, 10, 42)))


def numbers(key):
    private = key.private_numbers()
    return [("Modulus", private.public_numbers.n), ("Public exponent", private.public_numbers.e),
            ("Exponent", private.d), ("Prime 1", private.p), ("Prime 2", private.q),
            ("Prime exponent 1", private.dmp1), ("Prime exponent 2", private.dmq1), ("Coefficient", private.iqmp)]


def flat(value):
    return [f"{value:x}"]


def spread(value):
    """In pairs, sixteen to the line."""
    pairs = value.to_bytes((value.bit_length() + 7) // 8, "big").hex(" ").split(" ")
    return [" ".join(pairs[at:at + 16]) + " " for at in range(0, len(pairs), 16)]


def printed(key, style):
    lines = ["# Public key", "# Modulus:", *style(key.public_key().public_numbers().n), "# Exponent:", *style(65537),
             "# Private key"]
    for name, value in numbers(key):
        lines += [f"# {name}:", *style(value)]
    return lines


flat_lines = ["# Examples in the manner of PKCS #1", "# Example", *printed(large, flat)]
pairs = [("sha256", "sha1", hashes.SHA256, hashes.SHA1), ("sha1", "sha512", hashes.SHA1, hashes.SHA512),
         ("sha3-256", "sha1", None, None)]
for number, (name, mask_name, hash_, mask) in enumerate(pairs, 1):
    ciphertext = oaep(large, b"message", hash_, mask) if hash_ else bytes(256)
    flat_lines += [f"# OAEP Example {number} alg={name} mgf1={mask_name}", "# Message:", b"message".hex(),
                   "# Encryption:", ciphertext.hex()]
(here / "oaep-examples.txt").write_text("\n".join(flat_lines) + "\n")

spread_lines = ["Test vectors for RSA-OAEP", "=========================", "", "Prose: with a colon."]
for number, key in enumerate([small, large], 1):
    spread_lines += [f"# Example {number}: an RSA key pair", "# -----------", "", *printed(key, spread), ""]
    spread_lines += [f"# OAEP Example {number}.1", "# ----------", "", "# Message:", b"message".hex(" "), "",
                     "# Seed:", seeded("seed", 20).hex(" "), "", "# Encryption:",
                     *spread(int.from_bytes(oaep(key, b"message", hashes.SHA1), "big")), ""]
(here / "oaep-spread.txt").write_text("\n".join(spread_lines))

(here / "oaep-label.txt").write_text("\n".join([
    "# A label, and a mask with another digest", "COUNT = 1", f"KEY = {pkcs8(large).hex()}", "RSAPadding = OAEP",
    "OAEPDigest = SHA512", "OAEPLabel = 00112233", f"Input = {oaep(large, b'Hello', hashes.SHA512, label=bytes.fromhex('00112233')).hex()}",
    "Output = \"Hello\"", "", "COUNT = 2", f"KEY = {pkcs8(large).hex()}", "RSAPadding = OAEP", "OAEPDigest = SHA256",
    "MGF1Digest = SHA1", "OAEPLabel =", f"Input = {oaep(large, b'Hello', hashes.SHA256, hashes.SHA1).hex()}",
    f"Output = {b'Hello'.hex()}", ""]))


# ── The seeds' reference ────────────────────────────────────────────────────────────────────────────────────────────

def seeds(name, description, reference, cases, **more):
    for number, case in enumerate(cases, 1):
        case["id"] = f"{name}-{number:04}"
        case.setdefault("tags", [])
        case.setdefault("comment", "")
    write_json(f"seeds-{name}.json", {"description": description, "reference": reference, **more, "cases": cases})


def utf16(text):
    return text.encode("utf-16-be")


def info_string(tables, ids):
    return f"mana-ai-mission-grant:v1:tables={','.join(sorted(tables, key=utf16))}:ids={','.join(sorted(ids, key=utf16))}"


def mission_key(master, mission, tables, ids):
    return hkdf("sha256", master, mission.encode(), info_string(tables, ids).encode(), 32)[1]


master = seeded("master key", 32)


def derivation(mission, tables, ids, version="v1", key=master, error=None):
    info = info_string(tables, ids)
    expected = {"error": {"kind": error}} if error else {
        "infoString": info, "infoHex": info.encode().hex(), "mdkHex": mission_key(key, mission, tables, ids).hex()}
    return {"masterKeyHex": key.hex(), "version": version, "missionId": mission, "tables": tables, "recordIds": ids,
            "expected": expected}


seeds("grant-derivation-v1", "mission key derivation", "packages/shared-ai/src/missions/grant.ts", [
    derivation("m", ["notes"], ["notes:1"]), derivation("m", ["b", "a"], ["b:\uff5e", "a:\U0001f600", "a:1", "a:1"]),
    derivation("x" * 65, ["notes"], [f"notes:{n:040}" for n in range(30)]),
    derivation("m", ["a"], ["a:1"], key=master[:31], error="bad-master-key-length"),
    derivation("m", ["a"], ["a:1"], version="v2", error="unsupported-version"),
    derivation("m", ["a"], ["a:1"], version="v2", key=master + b"!", error="bad-master-key-length")])

start = 1_795_158_000_000  # 2026-11-20T07:00:00.000Z
day = 86_400_000


def iso(milliseconds):
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:03}Z"


tables, ids = ["notes", "tasks"], ["notes:1", "notes:\U0001f600", "notes:\ue000", "tasks:2"]
key_bytes = mission_key(master, "m-1", tables, ids)
stored = {"wrappedKey": base64.b64encode(oaep(large, key_bytes)).decode(),
          "derivation": {"version": "v1", "missionId": "m-1", "tables": tables, "recordIds": ids},
          "issuedAt": iso(start), "expiresAt": iso(start + 7 * day)}
mint = {"masterKeyHex": master.hex(), "issuedAtMs": start, "ttlMs": None, "mdkHex": key_bytes.hex(), "publicKeyId": "a"}
opened = {"ok": True, "mdkHex": key_bytes.hex()}


def unwrap(expected, change=None, drop=(), tags=(), now=start + day, configured="pem", key="a", minted=False, **more):
    grant = stored | (change or {})
    for name in drop:
        del grant[name]
    case = {"tags": list(tags), "configured": configured, "keyId": key if configured == "pem" else None,
            "now": iso(now), "nowMs": now, "grant": grant,
            "expected": expected if isinstance(expected, dict) else {"ok": False, "reason": expected}}
    return case | ({"mint": mint | more} if minted else {})


def wrapped(message, key=large, **how):
    return {"wrappedKey": base64.b64encode(oaep(key, message, **how)).decode()}


seeds("grant-unwrap", "grant unwrap", "services/mana-ai/src/crypto/unwrap-grant.ts; and more", [
    unwrap(opened, minted=True), unwrap(opened, now=start + 7 * day, minted=True),
    unwrap("expired", now=start + 7 * day + 1, minted=True),
    unwrap(opened, {"expiresAt": iso(start + 3_600_000)}, now=start, minted=True, ttlMs=-5.5),
    unwrap("not-configured", configured="never"), unwrap("not-configured", configured="unset"),
    unwrap("not-configured", key="garbage"), unwrap("wrap-rejected", key="b"),
    unwrap("malformed", {"wrappedKey": "A"}), unwrap("malformed", wrapped(bytes(31))),
    unwrap("wrap-rejected", wrapped(bytes(32), label=b"x")), unwrap("wrap-rejected", {"wrappedKey": ""}),
    unwrap(opened, {"expiresAt": "2026-11-22T09:00+02:00"}, tags=["date-format"], minted=True),
    unwrap(opened, drop=["derivation"], tags=["derivation"], minted=True),
    unwrap(opened, {"expiresAt": "2026-11-30"}, tags=["date-format"], minted=True),
    unwrap("wrap-rejected", wrapped(bytes(32), label=b"x") | {"expiresAt": "2026-11-30"}, tags=["date-format"]),
    unwrap(opened, {"expiresAt": 2027}, tags=["wrong-type", "js-coercion"], minted=True),
    unwrap("wrap-rejected", {"wrappedKey": None}, tags=["wrong-type"]),
    unwrap("expired", {"expiresAt": None}, tags=["wrong-type"]),
    unwrap(opened, {"wrappedKey": stored["wrappedKey"] + "AAAA"}, tags=["engine-dependent"]),
    unwrap(opened, wrapped(key_bytes, small, hash_=hashes.SHA1), key="small"),
], keys={
    "a": {"privatePem": armoured(pkcs8(large)), "publicPem": armoured(spki(large)), "bits": 2048},
    "b": {"privatePem": armoured(pkcs8(other)), "publicPem": armoured(spki(other)), "bits": 2048},
    "small": {"privatePem": armoured(pkcs8(small)), "publicPem": armoured(spki(small)), "bits": 1024},
    "garbage": {"privatePem": "****", "note": "not a key"}})

field_key = seeded("field key", 32)


def wire(plaintext, iv_bytes=12, name="field", key=field_key):
    iv = seeded(f"{name} {plaintext[:40]!r}", iv_bytes)
    ciphertext, tag = gcm(key, iv, plaintext, b"")
    return f"enc:1:{base64.b64encode(iv).decode()}.{base64.b64encode(ciphertext + tag).decode()}"


def field(stored_value, expected, wording=None, plaintext=None, tags=()):
    outcome = {"manaAi": {"ok": False, "error": expected} if isinstance(expected, str) else {"ok": True} | expected}
    if wording:
        outcome["auditReasonNode20"] = wording
    case = {"tags": list(tags), "keyHex": field_key.hex(), "wire": stored_value,
            "isEncrypted": isinstance(stored_value, str) and stored_value.startswith("enc:1:"), "expected": outcome}
    return case | ({} if plaintext is None else {"plaintextUtf8": plaintext})


def sealed(plaintext, expected, **more):
    return field(wire(plaintext.encode()), expected, plaintext=plaintext, **more)


broken = wire(b'"x"')[:-4] + "AAAA"
nested = "[" * 200 + "]" * 200
seeds("enc1", "enc:1: field blobs", "services/mana-ai/src/crypto/decrypt-value.ts (manaAi) and more", [
    sealed('"hello"', {"value": "hello"}), sealed('{"b":1,"2":2,"1":3,"b":4}', {"value": {"1": 3, "2": 2, "b": 4}}),
    sealed("-0.0", {"valueTagged": {"$number": "-0"}}), sealed("-1e400", {"valueTagged": {"$number": "-Infinity"}}),
    sealed('["\U0001f600"]', {"valueTagged": [{"$utf16be": "d83dde00"}]}),
    sealed('{"k":null}', {"valueTagged": {"$entries": [["k", None]]}}),
    sealed('"' + "ab" * 50 + '"', {"valueRepeat": {"unit": "ab", "count": 50}}),
    sealed(nested, {"valueJsonText": nested}), sealed('"\\ud83d"', {"valueTagged": {"$utf16be": "d83d"}}),
    sealed('{"\\udc00":1}', {"valueTagged": {"$entries": [[{"$utf16be": "dc00"}, 1]]}}),
    field(wire(b'"\xff"'), {"value": "\ufffd"}), sealed("nope", "json", wording="decrypt-failed"),
    field("enc:1:abc", "missing-separator", wording="ciphertext-malformed"), field("enc:1:!.AAAA", "base64"),
    field(wire(b'"x"', 13), "iv-length"), field(broken, "aead", wording="decrypt-failed"), field(broken, "aead"),
    field(wire(b'"x"', 11), "iv-length", tags=["engine-dependent"]),
    field(None, {"value": None}), field(1.5, {"value": 1.5}), field(["enc:1:x"], {"value": ["enc:1:x"]}),
    field("enc:2:AAAA.BBBB", {"value": "enc:2:AAAA.BBBB"})])
print("written:", *sorted(os.path.basename(path) for path in here.iterdir() if path.suffix != ".py"))
