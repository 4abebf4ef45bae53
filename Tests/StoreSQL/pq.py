"""A door to libpq through ctypes, so that these drivers need nothing but Python and the client library.

Every statement goes out as an unnamed one with text parameters (PQexecParams), which is also what a pooler in
transaction mode can pass on. Calls release Python's lock, so threads really run side by side.
"""

import ctypes
import ctypes.util

_lib = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
_conn, _result = ctypes.c_void_p, ctypes.c_void_p
for name, returns, takes in [
    ("PQconnectdb", _conn, [ctypes.c_char_p]),
    ("PQstatus", ctypes.c_int, [_conn]),
    ("PQerrorMessage", ctypes.c_char_p, [_conn]),
    ("PQfinish", None, [_conn]),
    ("PQbackendPID", ctypes.c_int, [_conn]),
    ("PQsocket", ctypes.c_int, [_conn]),
    ("PQexec", _result, [_conn, ctypes.c_char_p]),
    ("PQexecParams", _result, [_conn, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p,
                               ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]),
    ("PQresultStatus", ctypes.c_int, [_result]),
    ("PQresultErrorField", ctypes.c_char_p, [_result, ctypes.c_int]),
    ("PQntuples", ctypes.c_int, [_result]),
    ("PQnfields", ctypes.c_int, [_result]),
    ("PQfname", ctypes.c_char_p, [_result, ctypes.c_int]),
    ("PQgetvalue", ctypes.c_char_p, [_result, ctypes.c_int, ctypes.c_int]),
    ("PQgetisnull", ctypes.c_int, [_result, ctypes.c_int, ctypes.c_int]),
    ("PQcmdTuples", ctypes.c_char_p, [_result]),
    ("PQclear", None, [_result]),
    ("PQputCopyData", ctypes.c_int, [_conn, ctypes.c_char_p, ctypes.c_int]),
    ("PQputCopyEnd", ctypes.c_int, [_conn, ctypes.c_char_p]),
    ("PQgetResult", _result, [_conn]),
    ("PQsetNoticeProcessor", ctypes.c_void_p, [_conn, ctypes.c_void_p, ctypes.c_void_p]),
]:
    function = getattr(_lib, name)
    function.restype, function.argtypes = returns, takes

_NOTICE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_quiet = _NOTICE(lambda _, __: None)


class Refused(Exception):
    """What the server refused, with its SQLSTATE."""

    def __init__(self, state, message):
        super().__init__(f"{state}: {message}")
        self.state, self.message = state, message


class Lost(Exception):
    """The connection is gone."""


def encode(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, (bytes, bytearray)):
        return b"\\x" + bytes(value).hex().encode()
    if isinstance(value, (list, tuple)):
        parts = []
        for item in value:
            text = encode(item)
            if text is None:
                parts.append(b"NULL")
            else:
                parts.append(b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
        return b"{" + b",".join(parts) + b"}"
    return str(value).encode()


class Connection:
    def __init__(self, conninfo):
        self._c = _lib.PQconnectdb(conninfo.encode())
        if _lib.PQstatus(self._c) != 0:
            message = _lib.PQerrorMessage(self._c).decode(errors="replace").strip()
            _lib.PQfinish(self._c)
            self._c = None
            raise Lost(message)
        _lib.PQsetNoticeProcessor(self._c, _quiet, None)

    @property
    def pid(self):
        return _lib.PQbackendPID(self._c)

    def close(self):
        if self._c:
            _lib.PQfinish(self._c)
            self._c = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def script(self, sql):
        """Runs several statements as one simple query."""
        return self._take(_lib.PQexec(self._c, sql.encode()))

    def run(self, sql, *values):
        """Runs one statement; answers its rows as dictionaries of text."""
        texts = [encode(v) for v in values]
        array = (ctypes.c_char_p * len(texts))(*texts)
        return self._take(
            _lib.PQexecParams(self._c, sql.encode(), len(texts), None, array if texts else None, None, None, 0))

    def one(self, sql, *values):
        rows = self.run(sql, *values)
        assert len(rows) == 1, f"{len(rows)} rows from {sql}"
        return next(iter(rows[0].values()))

    def copy_in(self, sql, lines):
        _lib.PQclear(_lib.PQexec(self._c, sql.encode()))
        data = "".join(line + "\n" for line in lines).encode()
        _lib.PQputCopyData(self._c, data, len(data))
        _lib.PQputCopyEnd(self._c, None)
        rows = self._take(_lib.PQgetResult(self._c))
        while more := _lib.PQgetResult(self._c):
            _lib.PQclear(more)
        return rows

    def _take(self, result):
        try:
            status = _lib.PQresultStatus(result)
            if status not in (0, 1, 2):
                state = _lib.PQresultErrorField(result, ord("C"))
                message = _lib.PQresultErrorField(result, ord("M"))
                if not state:
                    raise Lost(_lib.PQerrorMessage(self._c).decode(errors="replace").strip())
                raise Refused(state.decode(), message.decode(errors="replace"))
            names = [_lib.PQfname(result, f).decode() for f in range(_lib.PQnfields(result))]
            self.touched = int(_lib.PQcmdTuples(result) or b"0")
            return [
                {name: None if _lib.PQgetisnull(result, row, f) else _lib.PQgetvalue(result, row, f).decode()
                 for f, name in enumerate(names)}
                for row in range(_lib.PQntuples(result))
            ]
        finally:
            _lib.PQclear(result)
