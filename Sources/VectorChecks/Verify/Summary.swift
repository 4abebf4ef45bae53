// One run over all paths: what the two reports are made from.

struct Summary: Sendable {
  let reports: [FileReport]
  let passedOver: [String]
  let totals: Totals
  let exitCode: ExitCode

  init(reports: [FileReport], passedOver: [String] = [], partial: Bool) {
    self.reports = reports
    self.passedOver =
      passedOver + reports.compactMap { if case .passedOver = $0.verdict { $0.path } else { nil } }
    totals = Totals(reports)
    exitCode = totals.exitCode(partial: partial)
  }

  init(of options: VerifyOptions, _ console: Console) async {
    let collection = FileCollection(options.paths)
    let clock = ContinuousClock()
    let start = clock.now
    let progress = ProgressLine(
      totalBytes: collection.files.reduce(0) { $0 + $1.bytes }, elapsed: { start.duration(to: clock.now) },
      show: console.err)
    let reports = await Verification(progress: console.isWatched ? progress : nil).run(collection.files)
    let missing = collection.problems.map { FileReport(path: $0.path, verdict: .broken(kind: nil, why: $0.why)) }
    self.init(reports: reports + missing, passedOver: collection.passedOver, partial: options.partial)
  }
}
