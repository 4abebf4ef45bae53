// libpq fills in what it is not told from PG… variables, from a service file and from files in the home directory.
// What we tell it wins; the rest must not be there, or a stray variable could send us to another server.

import CPostgres

enum ConnectionEnvironment {
  static func refuse(unless url: ConnectionURL, passwordGiven: Bool) throws(ConfigurationError) {
    // Nil when PGSERVICE names a service that libpq cannot find.
    guard let list = unsafe PQconndefaults() else { throw .environment("PGSERVICE") }
    defer { unsafe PQconninfoFree(list) }
    let told = Set(url.parameters(applicationName: "mandate").map(\.keyword))
    var option = unsafe list
    while let keyword = unsafe option.pointee.keyword {
      defer { unsafe option += 1 }
      let name = unsafe String(cString: keyword)
      // connect_timeout has no effect on a connection that is made without blocking, and the user is always told.
      guard !told.contains(name), name != "connect_timeout", let variable = unsafe option.pointee.envvar else {
        continue
      }
      if name == "password", passwordGiven { continue }
      guard let value = unsafe option.pointee.val, unsafe value.pointee != 0 else { continue }
      let compiled = unsafe option.pointee.compiled.map { unsafe String(cString: $0) }
      if unsafe String(cString: value) != compiled { throw .environment(unsafe String(cString: variable)) }
    }
  }
}
