// The doors, on the sources. A C module is importable wherever anything below links it, and a Swift module wherever
// it happens to be built already, whatever the target graph says; only this keeps the doors shut.

enum ImportRules {
  static func doorsAreShut(_ files: [SourceFile]) -> Verdict {
    eachImport(files) { file, module in
      guard let door = Plan.doors.first(where: { $0.module == module }) else { return nil }
      // A door's own tests may look behind it.
      let room = file.area == "Tests" && file.room.hasSuffix("Tests") ? String(file.room.dropLast(5)) : file.room
      return door.rooms.contains(room) ? nil : "and only \(door.rooms.sorted()) may"
    }
  }

  /// A room imports only rooms that Package.swift says it depends on: otherwise the map would not be the graph.
  static func importsAreDeclared(_ files: [SourceFile], _ manifest: Manifest) -> Verdict {
    // The module of `mandate-vectors` is `mandate_vectors`.
    let modules = Dictionary(
      manifest.targets.map { ($0.name.replacing("-", with: "_"), $0) }, uniquingKeysWith: { first, _ in first })
    return eachImport(files) { file, module in
      guard let owner = owner(of: file, in: manifest) else { return "which belongs to no target" }
      guard let target = modules[module] else { return nil }
      return owner.dependencies.contains(target.name) ? nil : "without depending on it in Package.swift"
    }
  }

  /// Of the toolchain's modules, a room takes the least that does.
  static func librariesAreChosen(_ files: [SourceFile], _ manifest: Manifest) -> Verdict {
    let ours = Set(manifest.targets.map(\.name))
    return eachImport(files.filter { $0.area == "Sources" }) { file, module in
      switch module {
      case _ where ours.contains(module) || Plan.toolchainModules.contains(module): nil
      case "FoundationEssentials":
        Plan.noFoundationRooms.contains(file.room) ? "and may use no part of Foundation" : nil
      case "Foundation":
        Plan.foundationRooms.contains(file.room) ? nil : "where FoundationEssentials or nothing must do"
      default: "which Tests/HouseTests/Plan.swift does not know"
      }
    }
  }

  static func testsAreSwiftTesting(_ files: [SourceFile]) -> Verdict {
    eachImport(files) { _, module in module == "XCTest" ? "; tests here are written with Swift Testing" : nil }
  }

  /// The target whose folder holds the file; folders are named after targets unless Package.swift says otherwise.
  static func owner(of file: SourceFile, in manifest: Manifest) -> Manifest.Target? {
    manifest.targets.first { target in
      let folder = target.path ?? (target.kind == "test" ? "Tests/" : "Sources/") + target.name
      return file.path.hasPrefix(folder + "/")
    }
  }

  private static func eachImport(_ files: [SourceFile], objection: (SourceFile, String) -> String?) -> Verdict {
    var verdict = Verdict()
    for file in files {
      for (module, line) in file.imports {
        verdict.look()
        if let why = objection(file, module) { verdict.problem("\(file.path):\(line) imports \(module) \(why)") }
      }
    }
    return verdict
  }
}
