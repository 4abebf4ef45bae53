// The modules whose records a mission may name as inputs: where their records lie, which fields are read, and what a
// planner is shown of them. The map is fixed. A table that is not its module's is no address at all, so that nobody
// reads one app's records under the rule of another (docs/flaws.md, F-33).

package struct InputModule: Sendable, Hashable {
  package enum Title: Sendable, Hashable {
    /// The field `title` where it is a text, an empty one included; otherwise this.
    case field(orElse: String)
    /// The field `title` whatever it is; this where it is absent or null.
    case anyField(orElse: String)
    case fixed(String)
  }

  package enum Content: Sendable, Hashable {
    /// The field `content`: a text as it is, anything else as JSON, nothing as an empty JSON text.
    case textOrJSON
    /// The field `content` where it is a text.
    case textOnly
    /// Parts with one space between them, each where its field is a text that is not empty.
    case line([Part])
    /// The fields that hold something, each on a line: texts trimmed, lists and objects as JSON.
    case lines([String])
    case progress
  }

  package struct Part: Sendable, Hashable {
    let field: String
    let before: String
    let after: String
    /// What stands there where the field is no text at all.
    let orElse: String?

    init(_ field: String, before: String = "", after: String = "", orElse: String? = nil) {
      (self.field, self.before, self.after, self.orElse) = (field, before, after, orElse)
    }
  }

  package let name: String
  package let app: String
  package let table: String
  /// False where records are not encrypted, so that there is nothing to consent to.
  package let needsGrant: Bool
  package let title: Title
  package let content: Content
  /// UTF-16 units of content, an ellipsis not counted.
  package let cap: Int?

  private init(
    _ name: String, app: String, table: String, needsGrant: Bool = true, _ title: Title, _ content: Content, cap: Int?
  ) {
    (self.name, self.app, self.table, self.needsGrant) = (name, app, table, needsGrant)
    (self.title, self.content, self.cap) = (title, content, cap)
  }

  /// The fields that the rules read. Under a grant of v2 no other is opened.
  package var fields: [String] {
    let ofTitle = title == .fixed(titleWords) ? [] : ["title"]
    let ofContent =
      switch content {
      case .textOrJSON, .textOnly: ["content"]
      case .line(let parts): parts.map(\.field)
      case .lines(let fields): fields
      case .progress: ["currentValue", "target", "period"]
      }
    return ofTitle + ofContent.filter { !ofTitle.contains($0) }
  }

  private var titleWords: String {
    switch title {
    case .field(let words), .anyField(let words), .fixed(let words): words
    }
  }

  // MARK: The map

  /// Nil for a module that there is not. Names are compared byte for byte.
  package static func named(_ name: String) -> InputModule? {
    all.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// The module whose records these are; nil where the table is not its own, whatever else lies there.
  package static func named(_ name: String, table: String) -> InputModule? {
    named(name).flatMap { $0.table.utf8.elementsEqual(table.utf8) ? $0 : nil }
  }

  package static let all: [InputModule] = [
    InputModule("notes", app: "notes", table: "notes", .field(orElse: "Notiz"), .textOrJSON, cap: 500),
    task("tasks"), task("todo"),
    InputModule(
      "calendar", app: "calendar", table: "events", .field(orElse: "Termin"),
      .line([
        Part("title", orElse: untitled), Part("startDate", before: "@ "), Part("location", before: "in "),
      ]), cap: 500),
    InputModule(
      "journal", app: "journal", table: "journalEntries", .field(orElse: "Journal-Eintrag"), .textOnly, cap: 500),
    InputModule("kontext", app: "kontext", table: "kontextDoc", .fixed("Mana-Kontext"), .textOrJSON, cap: 1500),
    InputModule(
      "profile", app: "profile", table: "userContext", .fixed("Nutzerprofil"),
      .lines(["about", "interests", "routine", "nutrition", "goals", "social", "freeform"]), cap: 2000),
    InputModule(
      "goals", app: "companion", table: "companionGoals", needsGrant: false, .anyField(orElse: "Goal"), .progress,
      cap: nil),
  ]

  private static func task(_ name: String) -> InputModule {
    InputModule(
      name, app: "todo", table: "tasks", .field(orElse: "Task"),
      .line([
        Part("status", before: "[", after: "]"), Part("title", orElse: untitled), Part("description", before: "— "),
        Part("dueDate", before: "(faellig: ", after: ")"),
      ]), cap: 500)
  }

  private static let untitled = "(ohne Titel)"
}
