// From a file to its content: JSON where it begins like JSON, otherwise text.

import Contracts
import FoundationEssentials

enum FileReading {
  /// Ten times the largest published file that is known; a whole file and its JSON tree are held in memory.
  static let largestBytes = 256 << 20

  enum Failure: Error, Equatable {
    /// The file is there, but it is nothing that this program reads.
    case notUnderstood(String)
    /// The file should have been readable and is not.
    case unreadable(String)
  }

  static func content(of file: FoundFile) throws(Failure) -> VectorContent {
    guard file.bytes <= largestBytes else { throw .notUnderstood("larger than \(largestBytes >> 20) MiB") }
    let bytes: [UInt8]
    do {
      bytes = [UInt8](try Data(contentsOf: URL(filePath: file.path)))
    } catch { throw .unreadable(reason(error)) }
    // It may have grown since it was listed.
    guard bytes.count <= largestBytes else { throw .notUnderstood("larger than \(largestBytes >> 20) MiB") }
    return try content(of: bytes)
  }

  static func content(of bytes: [UInt8]) throws(Failure) -> VectorContent {
    guard !bytes.isEmpty else { throw .notUnderstood("empty") }
    guard UTF8Text.isValid(bytes.span) else { throw .notUnderstood("not text") }
    guard beginsLikeJSON(bytes) else { return .text(String(decoding: bytes, as: UTF8.self)) }
    do throws(JSONProblem) {
      // A member that is given twice would be read differently by two readers.
      return .json(try JSONValue(parsing: bytes.span, duplicateKeys: .refused))
    } catch { throw .unreadable("not JSON, though it begins like it: \(sentence(error))") }
  }

  /// All JSON vectors are objects. A `[` begins the text files of CAVP.
  private static func beginsLikeJSON(_ bytes: [UInt8]) -> Bool {
    bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
  }

  private static func sentence(_ problem: JSONProblem) -> String {
    switch problem {
    case .syntax(let offset): "syntax error at byte \(offset)"
    case .invalidUTF8: "not UTF-8"
    case .loneSurrogate(let offset): "half a surrogate pair at byte \(offset)"
    case .tooDeep: "nested too deep"
    case .tooLong: "too long"
    case .duplicateKey: "a member is given twice"
    }
  }

  /// The few reasons that a person can do something about, in words of our own.
  static func reason(_ error: any Error) -> String {
    guard let error = error as? CocoaError else { return "cannot be read" }
    return switch error.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: "no such file or folder"
    case .fileReadNoPermission: "no permission to read it"
    default: "cannot be read"
    }
  }
}
