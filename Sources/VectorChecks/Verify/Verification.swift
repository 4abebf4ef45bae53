// Runs files through the kinds that know them, as many at once as the machine has cores.

import Glibc

struct Verification: Sendable {
  let kinds: [VectorKind]
  let progress: ProgressLine?

  init(kinds: [VectorKind] = VectorKinds.all, progress: ProgressLine? = nil) {
    self.kinds = kinds
    self.progress = progress
  }

  /// Reports in the order of the files. The largest are begun first, so that none is left to run alone at the end.
  func run(_ files: [FoundFile]) async -> [FileReport] {
    let order = files.indices.sorted { (files[$0].bytes, $1) > (files[$1].bytes, $0) }
    var reports = [FileReport?](repeating: nil, count: files.count)
    await withTaskGroup(of: (Int, FileReport).self) { group in
      var waiting = order.makeIterator()
      for _ in 0..<max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) {
        guard let index = waiting.next() else { break }
        group.addTask { (index, report(files[index])) }
      }
      for await (index, report) in group {
        reports[index] = report
        guard let next = waiting.next() else { continue }
        group.addTask { (next, self.report(files[next])) }
      }
    }
    progress?.finish()
    return reports.compactMap { $0 }
  }

  func report(_ file: FoundFile) -> FileReport {
    defer { progress?.didFinish(file) }
    let verdict: FileReport.Verdict
    do throws(FileReading.Failure) {
      verdict = self.verdict(on: try FileReading.content(of: file), in: file)
    } catch {
      switch error {
      case .notUnderstood(let what): verdict = .notUnderstood(what: what, later: false)
      case .unreadable(let why): verdict = .broken(kind: nil, why: why)
      }
    }
    return FileReport(path: file.path, verdict: verdict)
  }

  func verdict(on content: VectorContent, in file: FoundFile) -> FileReport.Verdict {
    let fitting = kinds.filter { $0.recognises(content) }
    guard let kind = fitting.first else { return Self.verdictOnUnknown(content, isNamed: file.isNamed) }
    guard fitting.count == 1 else {
      let names = fitting.map(\.name).joined(separator: ", ")
      return .broken(kind: kind.name, why: "internal error: more than one kind claims it: \(names)")
    }
    let held = kind.count(content)
    do throws(UnreadableVectors) {
      let results = try kind.check(content) { progress?.didCheck($0, of: held ?? 0, in: file) }
      // The promise of the table: every case is accounted for, and a file without cases proves nothing.
      guard results.count == held ?? results.count else {
        let counts = "the file holds \(held ?? 0) cases, \(results.count) were accounted for"
        return .broken(kind: kind.name, why: "internal error: " + counts)
      }
      guard !results.isEmpty else { return .broken(kind: kind.name, why: "the file holds no cases") }
      return .checked(kind: kind.name, Tally(results))
    } catch { return .broken(kind: kind.name, why: error.why) }
  }

  private static func verdictOnUnknown(_ content: VectorContent, isNamed: Bool) -> FileReport.Verdict {
    if KnownByName.isSchema(content), !isNamed { return .passedOver }
    if let name = KnownByName.laterStep(content) { return .notUnderstood(what: name, later: true) }
    return .notUnderstood(what: KnownByName.published(content) ?? "unknown content", later: false)
  }
}
