// What the text of a source file may contain, and where: pointers, the environment, escapes from the type system,
// unstructured tasks; and that a file stays short and says what it is for.

enum SourceRules {
  /// Pointers, and whatever else can reach memory or a symbol without the compiler's knowledge, stay behind a door.
  static func pointersStayBehindDoors(_ files: [SourceFile]) -> Verdict {
    let hatches: Set = ["OpaquePointer", "Unmanaged", "_silgen_name", "@_silgen_name", "@_extern", "dlopen", "dlsym"]
    return eachWord(files, outside: Plan.unsafeRooms) { file, index in
      let word = file.words[index].text
      guard hatches.contains(word) || word.lowercased().contains("unsafe") else { return nil }
      return "`\(word)` outside the doors"
    }
  }

  /// Settings are read once, in one room, from one list of names.
  static func environmentHasOneReader(_ files: [SourceFile]) -> Verdict {
    let names: Set = [
      "getenv", "secure_getenv", "setenv", "putenv", "unsetenv", "clearenv", "environ", "__environ", "ProcessInfo",
    ]
    return eachWord(files, outside: Plan.environmentRooms) { file, index in
      names.contains(file.words[index].text) ? "`\(file.words[index].text)` outside ServiceRuntime" : nil
    }
  }

  /// What turns an error into a crash, a wrong type into a crash, or a data race into a promise.
  static func nothingIsForced(_ files: [SourceFile]) -> Verdict {
    eachWord(files, outside: []) { file, index in
      switch file.words[index].text {
      case "try", "as":
        let next = index + 1
        guard file.word(next) == "!", file.words[next].glued else { return nil }
        return "`\(file.words[index].text)!`"
      case "@unchecked":
        return Plan.unsafeRooms.contains(file.room) ? nil : "`@unchecked` outside the doors"
      default: return nil
      }
    }
  }

  /// Long-running things are a `run()` that ends by cancellation. Only where a process is assembled may a task begin
  /// that nobody awaits: an executable, or the file of a process that bears its name.
  static func tasksAreStructured(_ files: [SourceFile]) -> Verdict {
    eachWord(files, outside: []) { file, index in
      guard file.words[index].text == "Task", file.word(index - 1) != "." || file.word(index - 2) == "_Concurrency"
      else { return nil }
      let isStart =
        switch file.word(index + 1) {
        case "{", "(": true
        case ".": ["detached", "immediate", "immediateDetached", "init"].contains(file.word(index + 2))
        default: false
        }
      guard isStart else { return nil }
      let floor = Plan.floor(of: file.room)
      let isMain = floor == 5 || (floor == 4 && file.name == file.room + ".swift")
      return isMain ? nil : "an unstructured `Task`"
    }
  }

  /// Nobody links this package, so `public` would only promise what `package` gives already.
  static func nothingIsPublic(_ files: [SourceFile]) -> Verdict {
    eachWord(files, outside: []) { file, index in file.words[index].text == "public" ? "`public`" : nil }
  }

  /// No receipt, no key: a receipt is made in one place of one file, by an initialiser that no other file can call.
  static func receiptsHaveOneMaker(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      let makings = file.words.indices.filter { file.words[$0].text == "AuditReceipt" && file.word($0 + 1) == "(" }
      guard file.path == Plan.receiptMaker else {
        for index in makings { verdict.problem("\(file.path):\(file.words[index].line) makes an AuditReceipt") }
        continue
      }
      let type = file.words.indices.first { file.word($0) == "struct" && file.word($0 + 1) == "AuditReceipt" }
      let maker = type.flatMap { type in file.words.indices.first { $0 > type && file.word($0) == "init" } }
      if makings.count != 1 || maker.map({ file.word($0 - 1) }) != "fileprivate" {
        verdict.problem("\(file.path) makes receipts in \(makings.count) places, or lets others make them")
      }
    }
    return verdict
  }

  /// Each pinned option is set in the client, once, to its value: nobody switches a check off, not even for a while.
  static func clientOptionsArePinned(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    let client = files.filter { $0.area == "Sources" && $0.room == "HTTPFetching" }
    for (option, value) in Plan.pinnedOptions.sorted(by: { $0.key < $1.key }) {
      verdict.look()
      let settings = client.flatMap { file in
        file.words.indices.filter { file.words[$0].text == option }.map { (file, $0) }
      }
      guard settings.count == 1, let (file, index) = settings.first else {
        verdict.problem("\(option) is set \(settings.count) times, not once")
        continue
      }
      let found = (1...3).map { file.word(index + $0) }.joined(separator: " ")
      if found != ", \(value) )" { verdict.problem("\(file.path) sets \(option) to `\(found)`, not to \(value)") }
    }
    return verdict
  }

  static func filesAreShort(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      let isEntry = file.area == "Sources" && Plan.floor(of: file.room) == 5
      let longest = isEntry ? Plan.longestEntry : Plan.longestFile
      if file.lineCount > longest {
        verdict.problem("\(file.path) has \(file.lineCount) lines, more than \(longest); it may hold a second idea")
      }
    }
    return verdict
  }

  /// A reader who opens a file at night learns in its first line what it is for.
  static func filesSayWhatTheyAreFor(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      if !file.text.hasPrefix("//") { verdict.problem("\(file.path) does not begin with a comment") }
    }
    return verdict
  }

  /// The rules above see words; a file whose words could not be read would pass them all.
  static func filesAreReadable(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      if let why = file.unreadable { verdict.problem("\(file.path): \(why)") }
    }
    return verdict
  }

  private static func eachWord(
    _ files: [SourceFile], outside rooms: Set<String>, objection: (SourceFile, Int) -> String?
  ) -> Verdict {
    var verdict = Verdict()
    for file in files where file.area == "Sources" && !rooms.contains(file.room) {
      verdict.look()
      for index in file.words.indices {
        if let why = objection(file, index) { verdict.problem("\(file.path):\(file.words[index].line) has \(why)") }
      }
    }
    return verdict
  }
}
