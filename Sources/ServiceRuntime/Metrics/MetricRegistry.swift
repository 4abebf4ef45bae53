// All metrics of a process. They are declared once, at the start, with a constant name and closed label sets; the page
// is written when somebody asks.
//
//   let opened = metrics.counter("mana_ai_decrypts_total", "Fields opened.", LabelSet("table", of: ModuleTable.self))
//   opened.add(3, .notes)

import Synchronization

package final class MetricRegistry: Sendable {
  private struct Entry: Sendable {
    let name: String
    let write: @Sendable (inout MetricPage) -> Void
  }

  private let service: String
  private let entries = Mutex<[Entry]>([])

  package static let contentType = MetricPage.contentType

  /// `service` is a label of every series, so that several processes can share one dashboard.
  package init(service: StaticString) { self.service = service.description }

  /// The page, metrics in the order of their names.
  package func page() -> String {
    var page = MetricPage(common: [("service", service)])
    for entry in entries.withLock({ $0 }).sorted(by: { $0.name < $1.name }) { entry.write(&page) }
    return page.text
  }

  package func counter<each Label: Hashable & Sendable>(
    _ name: StaticString, _ help: StaticString, _ labels: repeat LabelSet<each Label>
  ) -> Counter<repeat each Label> {
    precondition(name.description.hasSuffix("_total"), "the counter \(name) must end in _total")
    let series = MetricSeries<Double>(Self.listed(repeat each labels), empty: 0)
    add(name.description, .counter, help) { name, page in
      for (labels, value) in series.shown() { page.add(name, labels, value) }
    }
    return Counter(repeat each labels, series: series)
  }

  package func gauge<each Label: Hashable & Sendable>(
    _ name: StaticString, _ help: StaticString, _ labels: repeat LabelSet<each Label>
  ) -> Gauge<repeat each Label> {
    let series = MetricSeries<Double>(Self.listed(repeat each labels), empty: 0)
    add(name.description, .gauge, help) { name, page in
      for (labels, value) in series.shown() { page.add(name, labels, value) }
    }
    return Gauge(repeat each labels, series: series)
  }

  /// A value that is read when the page is written. It must not wait.
  package func gauge(_ name: StaticString, _ help: StaticString, read: @escaping @Sendable () -> Double?) {
    add(name.description, .gauge, help, read)
  }

  /// The same for something that only grows.
  package func counter(_ name: StaticString, _ help: StaticString, read: @escaping @Sendable () -> Double?) {
    precondition(name.description.hasSuffix("_total"), "the counter \(name) must end in _total")
    add(name.description, .counter, help, read)
  }

  func add(
    _ name: String, _ kind: MetricPage.Kind, _ help: StaticString, _ read: @escaping @Sendable () -> Double?
  ) {
    add(name, kind, help) { name, page in
      if let value = read() { page.add(name, "", value) }
    }
  }

  package func histogram<each Label: Hashable & Sendable>(
    _ name: StaticString, _ help: StaticString, _ labels: repeat LabelSet<each Label>, bounds: [Double]
  ) -> Histogram<repeat each Label> {
    let isRising = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
    precondition(!bounds.isEmpty && isRising && bounds.allSatisfy(\.isFinite), "the buckets of \(name) must rise")
    let series = MetricSeries(Self.listed(repeat each labels), empty: HistogramCell(bounds: bounds.count))
    add(name.description, .histogram, help) { name, page in
      for (labels, cell) in series.shown() { Self.write(name, labels, cell, bounds, to: &page) }
    }
    return Histogram(repeat each labels, bounds: bounds, series: series)
  }

  private static func listed<each Label: Hashable & Sendable>(
    _ sets: repeat LabelSet<each Label>
  ) -> [(name: String, values: [String])] {
    var list: [(name: String, values: [String])] = []
    for set in repeat each sets { list.append((set.name, set.values)) }
    precondition(Set(list.map(\.name)).count == list.count, "a metric has a label twice")
    return list
  }

  private static func write(
    _ name: String, _ labels: String, _ cell: HistogramCell, _ bounds: [Double], to page: inout MetricPage
  ) {
    var soFar: UInt64 = 0
    for (bound, count) in zip(bounds + [.infinity], cell.counts) {
      soFar += count
      let limit = MetricPage.joined([("le", MetricPage.number(bound))])
      page.add(name + "_bucket", labels.isEmpty ? limit : "\(labels),\(limit)", Double(soFar))
    }
    page.add(name + "_sum", labels, cell.sum)
    page.add(name + "_count", labels, Double(soFar))
  }

  private func add(
    _ name: String, _ kind: MetricPage.Kind, _ help: StaticString,
    _ write: @escaping @Sendable (String, inout MetricPage) -> Void
  ) {
    let help = help.description
    precondition(MetricName.isMetric(name), "\(name) is not the name of a metric")
    entries.withLock { entries in
      precondition(!entries.contains { $0.name == name }, "the metric \(name) is declared twice")
      entries.append(
        Entry(name: name) { page in
          page.begin(name, kind, help: help)
          write(name, &page)
        })
    }
  }
}
