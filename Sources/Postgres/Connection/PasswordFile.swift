// libpq ignores a password file that others may read, with a line on stderr. We refuse it, with an error.

#if canImport(Glibc)
  import Glibc
#endif

enum PasswordFile {
  static func check(_ configuration: ConnectionConfiguration) throws(PostgresError) {
    guard let path = configuration["passfile"], path != ConnectionURL.noFile else { return }
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
      throw .unreachable(ConnectFailure(reason: .passwordFile))
    }
  }
}
