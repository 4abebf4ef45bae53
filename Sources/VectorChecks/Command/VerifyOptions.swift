// The arguments of `verify`.

import ServiceRuntime

struct VerifyOptions: Equatable, Sendable {
  private(set) var paths: [String] = []
  private(set) var partial = false
  private(set) var json = false
  private(set) var quiet = false
  private(set) var wantsHelp = false

  enum Problem: Error, Equatable {
    case unknownOption(String)
    case noPaths
    case emptyPath

    var sentence: String {
      switch self {
      case .unknownOption(let option): "there is no option `\(Printable.name(option))`"
      case .noPaths: "name at least one file or folder"
      case .emptyPath: "a path is empty; look for an unset variable"
      }
    }
  }

  init(_ arguments: [String]) throws(Problem) {
    var optionsMayFollow = true
    for argument in arguments {
      guard optionsMayFollow, argument.hasPrefix("-") else {
        guard !argument.isEmpty else { throw .emptyPath }
        paths.append(argument)
        continue
      }
      switch argument {
      case "--partial": partial = true
      case "--json": json = true
      case "--quiet": quiet = true
      case "--help", "-h": wantsHelp = true
      case "--": optionsMayFollow = false
      default: throw .unknownOption(argument)
      }
    }
    guard wantsHelp || !paths.isEmpty else { throw .noPaths }
  }
}
