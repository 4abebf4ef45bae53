// The package as SwiftPM understands it, joined with the one thing it throws away: the comment above each target.

import Foundation

struct Manifest {
  struct Target {
    var name: String
    /// SwiftPM's word: regular, executable, test, system; anything else is not for this house.
    var kind: String
    var path: String?
    var dependencies: [String] = []
    /// As `name` or `name(value)`; one that holds only under a condition ends in ` if …`.
    var settings: Set<String> = []
    /// The word before the colon in the comment above the target: door, vault, process or agreement.
    var reason: String?

    var isTest: Bool { kind == "test" || path?.hasPrefix("Tests/") == true }
    var isSwift: Bool { kind != "system" }
  }

  var targets: [Target]
  var languageModes = ["6"]
  /// Packages that would have to be fetched.
  var packages = 0

  func target(_ name: String) -> Target? { targets.first { $0.name == name } }

  /// Targets that are part of the house, without those that only test it.
  var rooms: [Target] { targets.filter { !$0.isTest } }

  /// Everything that `name` links, itself excluded, however far below.
  func closure(of name: String) -> Set<String> {
    var found: Set<String> = []
    var open = target(name)?.dependencies ?? []
    while let next = open.popLast() {
      if found.insert(next).inserted { open += target(next)?.dependencies ?? [] }
    }
    return found
  }
}

extension Manifest {
  /// From the JSON of `swift package dump-package` and the text of Package.swift.
  init(json: Data, text: String) throws {
    let dump = try JSONDecoder().decode(Dump.self, from: json)
    let reasons = Manifest.reasons(in: text)
    targets = dump.targets.map { target in
      Target(
        name: target.name, kind: target.type, path: target.path,
        dependencies: target.dependencies.compactMap { $0.values.first?.name },
        settings: Set(target.settings.map(\.description)), reason: reasons[target.name])
    }
    languageModes = dump.swiftLanguageVersions ?? []
    packages = dump.dependencies.count
  }

  /// The comment must be the one line directly above the target, so that a reader of the map never has to search.
  static func reasons(in text: String) -> [String: String] {
    var reasons: [String: String] = [:]
    var reason: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.trimmingPrefix { $0 == " " }
      if line.hasPrefix("//") {
        let words = line.drop { $0 == "/" || $0 == " " }
        reason = words.firstIndex(of: ":").map { String(words[..<$0]) }
      } else if let name = line.firstMatch(of: #/name: "([^"]+)"/#)?.1 {
        if let reason { reasons[String(name)] = reason }
        reason = nil
      } else if line.wholeMatch(of: #/\.[A-Za-z]+\(/#) == nil {
        reason = nil
      }
    }
    return reasons
  }
}

/// The parts of SwiftPM's JSON that the rules read.
private struct Dump: Decodable {
  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let dependencies: [[String: Dependency]]
    let settings: [Setting]
  }

  /// `{"byName": ["Secrets", null]}` and its relatives: the name comes first.
  struct Dependency: Decodable {
    let name: String

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      name = try list.decode(String.self)
    }
  }

  struct Setting: Decodable, CustomStringConvertible {
    let description: String

    private enum Key: CodingKey { case kind, condition }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      let kind = try container.decode([String: [String: Value]].self, forKey: .kind)
      let conditional = container.contains(.condition) ? " if …" : ""
      description =
        kind.map { name, values in
          let values = values.sorted { $0.key < $1.key }.map(\.value.text).joined(separator: ", ")
          return values.isEmpty ? name : "\(name)(\(values))"
        }.joined() + conditional
    }
  }

  struct Value: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let one = try? container.decode(String.self) {
        text = one
      } else {
        text = try container.decode([String].self).joined(separator: " ")
      }
    }
  }

  struct Package: Decodable {}

  let targets: [Target]
  let dependencies: [Package]
  let swiftLanguageVersions: [String]?
}
