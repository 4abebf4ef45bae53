// Why a file or folder could not be used, in sentences that can follow its path and that say what helps.

package enum FileProblem: Error, Equatable, Sendable {
  case missing
  case exists
  case link
  case notRegular
  case notFolder
  case openToOthers(mode: String)
  case writableByOthers(mode: String)
  case foreign(owner: UInt32)
  case empty
  case tooLong(limit: Int)
  case tooManyEntries(limit: Int)
  case changed
  case noLockedMemory
  /// The file system took the mode that was asked for and did not keep it.
  case modeNotKept(mode: String)
  case busy
  case failed(SystemFailure)

  init(_ failure: SystemFailure) {
    self = failure.isMissing ? .missing : failure.isLink ? .link : failure.exists ? .exists : .failed(failure)
  }

  package var sentence: String {
    switch self {
    case .missing: "does not exist."
    case .exists: "exists already and is not overwritten."
    case .link: "is a symbolic link; name the thing itself."
    case .notRegular: "is not a regular file."
    case .notFolder: "is not a folder."
    case .openToOthers(let mode):
      "can be used by others than its owner (mode \(mode)); make it private: chmod go= (root's may keep 640)."
    case .writableByOthers(let mode): "can be changed by anybody (mode \(mode)); protect it: chmod o-w."
    case .foreign(let owner): "belongs to user \(owner), who could change it; give it to this user or to root: chown."
    case .empty: "is empty."
    case .tooLong(let limit): "is longer than \(limit) bytes, so it is not what it should be."
    case .tooManyEntries(let limit): "holds more than \(limit) files, so it is not what it should be."
    case .changed: "changed while it was read; try again."
    case .noLockedMemory: "finds no locked memory left; raise the limit: ulimit -l 8192."
    case .modeNotKept(let mode):
      "is on a file system that does not keep file modes (it made \(mode)); use another folder."
    case .busy: "is in use by another process of ours; try again when that has ended."
    case .failed(let failure): "cannot be used: \(failure.words)."
    }
  }
}
