// The series of one metric: a place per combination of label values, all there from the start. Since label sets are
// closed, so is the memory, and a counter that nothing has touched stands at 0 where an alert can see it rise.

import Synchronization

final class MetricSeries<Cell: Sendable>: Sendable {
  private struct Series {
    var cell: Cell
    var isTouched: Bool
  }

  /// The labels of each series as they are written.
  private let labels: [String]
  private let series: Mutex<[Series]>
  /// Large families (method by route by status) show only what happened.
  private let showsUntouched: Bool

  private static var largestShownWhole: Int { 64 }
  private static var largest: Int { 65_536 }

  init(_ sets: [(name: String, values: [String])], empty: Cell) {
    var combinations: [[(String, String)]] = [[]]
    for set in sets {
      combinations = combinations.flatMap { head in set.values.map { head + [(set.name, $0)] } }
      precondition(combinations.count <= Self.largest, "a metric with this many series would fill the memory")
    }
    labels = combinations.map(MetricPage.joined)
    series = Mutex(labels.map { _ in Series(cell: empty, isTouched: false) })
    showsUntouched = labels.count <= Self.largestShownWhole
  }

  func update(at index: Int, _ change: (inout Cell) -> Void) {
    series.withLock {
      change(&$0[index].cell)
      $0[index].isTouched = true
    }
  }

  /// What is to be shown, with its labels. The values are taken at one moment.
  func shown() -> [(labels: String, cell: Cell)] {
    let now = series.withLock { $0 }
    return zip(labels, now).compactMap { labels, series in
      showsUntouched || series.isTouched ? (labels, series.cell) : nil
    }
  }
}
