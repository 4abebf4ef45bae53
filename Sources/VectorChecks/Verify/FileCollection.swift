// From the paths on the command line to the files that are to be verified, folders taken apart and sorted.

import FoundationEssentials

struct FoundFile: Sendable, Equatable {
  let path: String
  let bytes: Int
  /// Stands on the command line itself, so somebody means it to be vectors.
  var isNamed = false
}

/// What the paths lead to. Nothing that was met is missing from one of the lists.
struct FileCollection: Sendable, Equatable {
  private(set) var files: [FoundFile] = []
  /// Met inside a folder and left alone because of its name: not vectors.
  private(set) var passedOver: [String] = []
  /// A path that leads nowhere, or to something that is neither file nor folder.
  private(set) var problems: [PathProblem] = []

  struct PathProblem: Sendable, Equatable {
    let path: String
    let why: String
  }

  /// More files than any collection of vectors has; whoever names `/` by mistake is told so.
  static let mostFiles = 100_000
  /// Folders within folders.
  static let deepest = 64

  private var seen: Set<String> = []

  init(_ paths: [String]) {
    for path in paths { add(path, named: true, depth: 0) }
  }

  private mutating func add(_ path: String, named: Bool, depth: Int) {
    guard seen.insert(path).inserted else { return }
    guard seen.count <= Self.mostFiles else {
      if seen.count == Self.mostFiles + 1 { fail(path, "more than \(Self.mostFiles) files") }
      return
    }
    let attributes: [FileAttributeKey: Any]
    do {
      // Only what stands on the command line may be a link to a folder: a link inside one could lead round in circles.
      attributes = try FileManager.default.attributesOfItem(atPath: named ? Self.resolved(path) : path)
    } catch {
      return fail(path, FileReading.reason(error))
    }
    switch attributes[.type] as? FileAttributeType {
    case .typeRegular?: addFile(path, attributes, named: named)
    case .typeDirectory?: addContents(of: path, depth: depth)
    case .typeSymbolicLink?: addTarget(of: path)
    default: named ? fail(path, "neither a file nor a folder") : passedOver.append(path)
    }
  }

  private mutating func addFile(_ path: String, _ attributes: [FileAttributeKey: Any], named: Bool) {
    // The type of the number depends on how much of Foundation is loaded.
    guard let bytes = attributes[.size] as? Int ?? (attributes[.size] as? UInt).flatMap(Int.init(exactly:)) else {
      return fail(path, "its size cannot be told")
    }
    files.append(FoundFile(path: path, bytes: bytes, isNamed: named))
  }

  private mutating func addContents(of folder: String, depth: Int) {
    guard depth < Self.deepest else { return fail(folder, "more than \(Self.deepest) folders within each other") }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      return fail(folder, FileReading.reason(error))
    }
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      if Self.isNoVectorFile(name) { passedOver.append(path) } else { add(path, named: false, depth: depth + 1) }
    }
  }

  /// A link inside a folder counts as the file it leads to, and not at all if it leads to a folder.
  private mutating func addTarget(of link: String) {
    do {
      let target = try FileManager.default.attributesOfItem(atPath: Self.resolved(link))
      switch target[.type] as? FileAttributeType {
      case .typeRegular?: addFile(link, target, named: false)
      case .typeSymbolicLink?: fail(link, "a link that leads nowhere")
      default: passedOver.append(link)
      }
    } catch { fail(link, FileReading.reason(error)) }
  }

  private mutating func fail(_ path: String, _ why: String) { problems.append(PathProblem(path: path, why: why)) }

  private static func resolved(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
  }

  /// Hidden files, and the papers that lie beside vectors.
  static func isNoVectorFile(_ name: String) -> Bool {
    let lower = name.lowercased()
    return name.hasPrefix(".") || lower.hasSuffix(".md")
      || ["readme", "license", "licence", "copying", "notice", "changelog"].contains { paper in
        lower == paper || lower.hasPrefix(paper + ".")
      }
  }
}
