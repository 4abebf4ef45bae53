// The doors, on the binaries: what the linker really put into an executable, whatever Package.swift says.

/// What `nm` shows of one executable.
struct Binary {
  let name: String
  let symbols: Set<Substring>

  /// `listing` is the output of `nm`, its dynamic part included: address, kind and name, with OpenSSL's and glibc's
  /// version behind an `@`.
  init(name: String, listing: String) {
    self.name = name
    symbols = Set(
      listing.split(separator: "\n").compactMap { line in
        line.split(separator: " ").last?.prefix { $0 != "@" }
      })
  }

  func symbol(beginningWith prefix: String) -> Substring? { symbols.filter { $0.hasPrefix(prefix) }.min() }
}

enum BinaryRules {
  /// An executable contains no symbol of a room that is not in its closure, nor of a C library whose door is not, nor
  /// any that the plan forbids it by name.
  static func nothingIsSmuggledIn(_ binaries: [Binary], _ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for binary in binaries {
      verdict.look()
      let closure = manifest.closure(of: binary.name).union([binary.name])
      let strangers = manifest.rooms.filter { $0.isSwift && !closure.contains($0.name) }
      var forbidden = strangers.map { (of: $0.name, prefix: moduleMark($0.name)) }
      for door in Plan.doors where !closure.contains(door.module) {
        forbidden += door.symbolPrefixes.map { (of: door.module, prefix: $0) }
      }
      forbidden += (Plan.forbiddenSymbols[binary.name] ?? []).map { (of: "what the plan forbids", prefix: $0) }
      for (of, prefix) in forbidden {
        if let symbol = binary.symbol(beginningWith: prefix) {
          verdict.problem("\(binary.name) contains \(symbol), of \(of)")
        }
      }
    }
    return verdict
  }

  /// Absence proves nothing unless presence would have been seen: each binary shows its own entry, and every C
  /// library that the sources call is seen in some binary, once the map leads from a binary to it.
  static func theEyeIsOpen(_ binaries: [Binary], _ files: [SourceFile], _ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for binary in binaries {
      verdict.look()
      for own in ["main", moduleMark(binary.name)] where binary.symbol(beginningWith: own) == nil {
        verdict.problem("\(binary.name) shows no \(own); is it stripped, or is this not a symbol list?")
      }
    }
    let called = Set(files.filter { $0.area == "Sources" }.flatMap { $0.words.map(\.text) })
    let reached = binaries.reduce(into: Set()) { $0.formUnion(manifest.closure(of: $1.name)) }
    for door in Plan.doors where reached.contains(door.module) {
      guard door.symbolPrefixes.contains(where: { prefix in called.contains { $0.hasPrefix(prefix) } }) else {
        continue
      }
      verdict.look()
      let isSeen = binaries.contains { binary in
        door.symbolPrefixes.contains { binary.symbol(beginningWith: $0) != nil }
      }
      if !isSeen { verdict.problem("the sources call \(door.module) and no executable shows it") }
    }
    return verdict
  }

  /// How the mangled name of everything a module declares begins.
  static func moduleMark(_ target: String) -> String {
    let module = target.replacing("-", with: "_")
    return "$s\(module.utf8.count)\(module)"
  }
}
