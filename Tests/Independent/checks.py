"""One function per type of test group: from the inputs of a test to what the file says of it.

Each gets a test whose members are marked as they are read, and gives the members that follow from the others. The
caller compares them, and asks that every member was either read or given.
"""

import formats as f
import planner_input as p
from cryptography.hazmat.primitives import serialization

KEYS = {}


class Test:
    """A test whose members are remembered when they are looked at."""

    def __init__(self, members):
        self.members = members
        self.seen = {"tcId", "comment", "flags"}

    def __getitem__(self, name):
        self.seen.add(name)
        return self.members[name]

    def bytes(self, name):
        return bytes.fromhex(self[name])

    def records(self):
        return [(record["table"], record["id"]) for record in self["records"]]


def private_keys(group):
    """Loads the keys of a group and derives what the file says of each."""
    loaded = []
    for key in group["keys"]:
        text = key["privateKeyPkcs8"]
        if text not in KEYS:
            private = serialization.load_der_private_key(bytes.fromhex(text), None)
            spki = private.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            KEYS[text] = private, spki
        private, spki = KEYS[text]
        said = (key["bits"], key["publicKeySpki"], key["keyId"])
        if said != (private.key_size, spki.hex(), f.key_id(spki)) or f.read_spki(spki) != private.key_size:
            raise AssertionError(f"the key {key['name']} is not what the file says of it")
        loaded.append((key["keyId"], private))
    return loaded


# v1


def mission_key_v1(group, test):
    inputs = [test["version"], test["missionId"], test["tables"], test["recordIds"]]
    key = f.mission_key_v1(test.bytes("masterKey"), *inputs)
    return {"info": f.canonical_scope_v1(*inputs[2:]), "key": key.hex()}


def grant_v1_issuing(group, test):
    mission, tables, record_ids = test["missionId"], test["tables"], test["recordIds"]
    key = f.mission_key_v1(test.bytes("masterKey"), "v1", mission, tables, record_ids)
    wrapped_key = f.read_json(test["grant"])["wrappedKey"]
    [(_, private)] = private_keys(group)
    if f.unwrap(private, f.strict_base64(wrapped_key), b"") != key:
        raise AssertionError("the wrap opens to another key")
    end = f.lifetime_end(test["issuedAt"], test["wantedMs"])
    grant = f.grant_v1(wrapped_key, mission, tables, record_ids, test["issuedAt"], end)
    return {"missionKey": key.hex(), "grant": f.write_json(grant)}


def grant_v1_opening(group, test):
    keys = [private for _, private in private_keys(group)]
    key, allowed = f.open_grant_v1(f.read_json(test["grant"]), keys, test["now"])
    return {"missionKey": key.hex(), "allowed": allowed}


def field_v1(group, test):
    key = f.mission_key_v1(
        bytes.fromhex(group["masterKey"]), "v1", group["missionId"], group["tables"], group["recordIds"]
    )
    if key.hex() != group["missionKey"]:
        raise AssertionError("the group has another mission key")
    iv, message, text = f.open_field(1, key, test["envelope"])
    canonical = f.seal_field(1, key, iv, message) == test["envelope"]
    return {"iv": iv.hex(), "msg": message.hex(), "json": text, "canonical": canonical}


# v2


def frame(group, test):
    parts = f.read_frame(test.bytes("frame"))
    if f.frame(*parts) != test.bytes("frame"):
        raise AssertionError("writing gives another frame")
    return {"parts": [part.hex() for part in parts]}


def record_key(group, test):
    names = test["userId"], test["table"], test["recordId"]
    key = f.record_key(test.bytes("masterKey"), *names)
    return {"info": f.record_key_info(*names).hex(), "key": key.hex()}


def scope_making(group, test):
    records = f.make_scope(test.records())
    return {"tables": f.scope_tables(records), "recordIds": f.scope_record_ids(records), **scope_outputs(records)}


def scope_reading(group, test):
    records = f.read_scope(test["tables"], test["recordIds"])
    listed = [{"table": table, "id": identifier} for table, identifier in records]
    return {"records": listed, **scope_outputs(records)}


def scope_outputs(records):
    framed = f.scope_frame(records)
    return {"frame": framed.hex(), "digest": f.sha256(framed).hex()}


def mission_key_v2(group, test):
    master, user, mission = test.bytes("masterKey"), test["userId"], test["missionId"]
    f.check_master(master, "master-key")
    f.check_identifier(user, "user")
    f.check_identifier(mission, "mission")
    try:
        records = f.make_scope(test.records())
    except f.Refused:
        raise f.Refused("scope") from None
    key = f.mission_key_v2(master, user, mission, test["grantId"], records)
    claim = f.mission_claim(user, mission, test["grantId"], records)
    return {"claim": claim.hex(), "info": f.frame("mandate/v2/mission-key", claim).hex(), "key": key.hex()}


def key_id(group, test):
    spki = test.bytes("spki")
    return {"bits": f.read_spki(spki), "fingerprint": f.key_fingerprint(spki).hex(), "keyId": f.key_id(spki)}


def grant_v2_issuing(group, test):
    user, mission, grant_id, issued_at = (test[name] for name in ("userId", "missionId", "grantId", "issuedAt"))
    records = f.make_scope(test.records())
    key = f.mission_key_v2(test.bytes("masterKey"), user, mission, grant_id, records)
    [(identifier, private)] = private_keys(group)
    end = f.lifetime_end(issued_at, test["wantedMs"])
    label = f.grant_label(grant_id, identifier, user, mission, issued_at, end, records)
    wrapped_key = f.read_json(test["grant"])["wrappedKey"]
    if f.unwrap(private, f.strict_base64(wrapped_key), label) != key:
        raise AssertionError("the wrap opens to another key")
    grant = f.grant_v2(wrapped_key, identifier, grant_id, user, mission, records, issued_at, end)
    return {"missionKey": key.hex(), "label": label.hex(), "grant": f.write_json(grant)}


def grant_v2_opening(group, test):
    keys = dict(private_keys(group))
    grant = f.read_json(test["grant"])
    key, label = f.open_grant_v2(grant, keys, test["userId"], test["missionId"], test["now"])
    return {"missionKey": key.hex(), "label": label.hex()}


def keyring_row(group, test):
    records = f.make_scope([(record["table"], record["id"]) for record in group["records"]])
    master = bytes.fromhex(group["masterKey"])
    mission_key = f.mission_key_v2(master, group["userId"], group["missionId"], group["grantId"], records)
    if mission_key.hex() != group["missionKey"]:
        raise AssertionError("the group has another mission key")
    place = test["rowGrantId"], test["table"], test["recordId"]
    row = test.bytes("row")
    opened = f.open_keyring_row(mission_key, row, *place)
    if opened != f.record_key(master, group["userId"], *place[1:]):
        raise AssertionError("the row opens to another record key")
    if row[12:] != f.AESGCM(mission_key).encrypt(row[:12], opened, f.keyring_aad(*place)):
        raise AssertionError("sealing gives another row")
    return {"nonce": row[:12].hex(), "aad": f.keyring_aad(*place).hex(), "recordKey": opened.hex()}


def vault_row(group, test):
    kek, user, key_id = bytes.fromhex(group["kek"]), test["userId"], test["rowKekId"]
    if f.kek_id(kek) != group["kekId"]:
        raise AssertionError("the group has another key id")
    iv, sealed = f.read_vault_row(kek, key_id, test["wrapped"], test["iv"])
    master = f.open_vault_row(kek, user, key_id, iv, sealed)
    aad = f.vault_aad(user, key_id)
    if sealed != f.AESGCM(kek).encrypt(iv, master, aad):
        raise AssertionError("sealing gives another wrap")
    return {"aad": aad.hex(), "masterKey": master.hex(), "keyCheck": f.key_check(master, user).hex()}


def group_record_key(group):
    key = f.record_key(bytes.fromhex(group["masterKey"]), group["userId"], group["table"], group["recordId"])
    if key.hex() != group["recordKey"]:
        raise AssertionError("the group has another record key")
    return key


def place_of(test):
    return [test[name] for name in ("placeUserId", "placeTable", "placeRecordId", "placeField")]


def field_v2(group, test):
    key, aad = group_record_key(group), f.field_aad(*place_of(test))
    iv, message, text = f.open_field(2, key, test["envelope"], aad)
    if f.seal_field(2, key, iv, message, aad) != test["envelope"]:
        raise AssertionError("sealing gives another envelope")
    return {"iv": iv.hex(), "msg": message.hex(), "aad": aad.hex(), "json": text}


def sealed_copy(group, test):
    key, place = group_record_key(group), place_of(test)
    current, entry = test["current"], test["entry"]
    iv, message, text = f.open_copy(key, current, entry, place)
    digest = f.copy_digest(current)
    aad = f.copy_aad(*place, digest)
    if f.write_json({"of": digest, "value": f.seal_field(2, key, iv, message, aad)}) != entry:
        raise AssertionError("sealing gives another entry")
    return {"of": digest, "iv": iv.hex(), "msg": message.hex(), "aad": aad.hex(), "json": text}


AUDIT = "userId seq ts missionId grantId iterationId table recordId status reason purpose batch ofSeq".split()


def audit_chain(group, test):
    if bytes.fromhex(group["start"]) != bytes(32):
        raise AssertionError("a chain begins with zeroes")
    rows = [dict(row) for row in group["tests"]]
    place = test["seq"] - 1
    before = rows[place - 1]["hash"] if place else group["start"]
    if rows[place]["tcId"] != test["tcId"] or test["previous"] != before:
        raise AssertionError("the row does not follow the one before it")
    return {"frame": audit_row(test).hex()}


def audit_chain_broken(group, test):
    audit_row(test)
    return {}


def audit_row(test):
    row = {name: test[name] for name in AUDIT}
    if f.audit_hash(test.bytes("previous"), row) != test.bytes("hash"):
        raise f.Refused()
    return f.audit_frame(row)


def input_modules(group, test):
    found = p.input_module(test["module"], test["table"])
    if found is None:
        raise f.Refused("unknown-module")
    return found


def planner_input(group, test):
    return p.planner_input(group["module"], test["fields"])


CHECKS = {
    "MissionKeyV1": mission_key_v1,
    "GrantV1Issuing": grant_v1_issuing,
    "GrantV1Opening": grant_v1_opening,
    "FieldV1": field_v1,
    "Frame": frame,
    "RecordKey": record_key,
    "ScopeMaking": scope_making,
    "ScopeReading": scope_reading,
    "MissionKeyV2": mission_key_v2,
    "KeyId": key_id,
    "GrantV2Issuing": grant_v2_issuing,
    "GrantV2Opening": grant_v2_opening,
    "KeyringRow": keyring_row,
    "FieldV2": field_v2,
    "SealedCopy": sealed_copy,
    "VaultRow": vault_row,
    "InputModules": input_modules,
    "PlannerInput": planner_input,
    "AuditChain": audit_chain,
    "AuditChainBroken": audit_chain_broken,
}
