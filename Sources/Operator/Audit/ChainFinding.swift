// What is wrong with a chain, each finding named by the number of the row it is about.

import Contracts

struct ChainFinding: Equatable, Sendable, Encodable {
  enum Kind: String, Sendable, Encodable {
    /// It is not what was hashed behind the row before it: it was changed, or that one was, with its hash.
    case changed
    /// It was there: rows behind it are, or the chain's end says so. `through` is the last of them.
    case removed
    /// It was not there when the rows behind it were hashed, or no end of a chain knows of it.
    case inserted
    /// It was written as row `through` and stands in another one's place.
    case moved
    /// Its time is before that of the row before it.
    case timeRunsBackwards = "time-runs-backwards"
    /// The rows verify, but the database names another hash as their end.
    case endDiffers = "end-differs"
    /// There are rows or a cut, and no end.
    case endMissing = "end-missing"
    /// The chain had another hash here when its end was exported: it was rewritten since.
    case differsFromExport = "differs-from-export"
    /// The exported end lies behind the chain's.
    case shorterThanExport = "shorter-than-export"
  }

  let user: String
  let kind: Kind
  let seq: Int64
  var through: Int64?

  var sentence: String {
    switch kind {
    case .changed: "row \(seq) was changed: it is not what was hashed behind row \(seq - 1)"
    case .removed where through == seq: "row \(seq) was removed"
    case .removed: "rows \(seq) to \(through ?? seq) were removed"
    case .inserted: "row \(seq) was inserted"
    case .moved: "row \(seq) was written as row \(through ?? seq): rows were reordered"
    case .timeRunsBackwards: "row \(seq) is earlier than the row before it"
    case .endDiffers: "the rows verify up to \(seq), but the chain's end has another hash"
    case .endMissing: "there are rows up to \(seq), but the chain has no end"
    case .differsFromExport: "row \(seq) is not the one whose hash was exported: the chain was rewritten"
    case .shorterThanExport: "the chain was exported up to row \(seq), which is not there any more"
    }
  }
}
