// `mandate keys` as an operator meets it: the built program, real files, exit codes.

import FolderSupport
import Foundation
import Glibc
import Testing

@Suite struct KeysCommandTests {
  private let place: TemporaryFolder

  init() throws { place = try TemporaryFolder() }

  private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try BuiltCommand.run(arguments, in: place, environment: environment)
  }

  private func generated(_ arguments: String...) throws -> [String: Any] {
    let outcome = try BuiltCommand.run(["keys", "generate", "--json"] + arguments, in: place)
    #expect(outcome.code == 0)
    return try #require(outcome.json)
  }

  private func text(_ object: [String: Any], _ member: String) throws -> String {
    try #require(object[member] as? String)
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: place.path(path))
    return try #require((attributes[.posixPermissions] as? NSNumber)?.intValue)
  }

  private func problems() throws -> [String] {
    let list = try #require(try run("keys", "list", "--json").json)
    let pairs = try #require(list["pairs"] as? [[String: Any]])
    let own = try #require(list["problems"] as? [String])
    return own + pairs.flatMap { $0["problems"] as? [String] ?? [] }
  }

  @Test(
    "A pair is two files with the right modes that OpenSSL accepts and finds to belong together",
    arguments: [2048, 3072])
  func generates(bits: Int) throws {
    let pair = try generated("--bits", String(bits))
    let (publicFile, privateFile) = (try text(pair, "publicFile"), try text(pair, "privateFile"))
    #expect(try mode("keys") == 0o755)
    #expect(try mode("keys/private") == 0o700)
    #expect(try mode(publicFile) == 0o644)
    #expect(try mode(privateFile) == 0o600)
    #expect(try place.names == ["keys"])

    let check = try BuiltCommand.other("openssl", ["pkey", "-check", "-noout", "-in", privateFile], in: place)
    #expect(check.code == 0 && (check.output + check.errors).contains("Key is valid"))
    let derived = try BuiltCommand.other("openssl", ["pkey", "-in", privateFile, "-pubout"], in: place)
    #expect(try derived.output == String(contentsOfFile: place.path(publicFile), encoding: .utf8))
    let shape = try BuiltCommand.other("openssl", ["rsa", "-pubin", "-in", publicFile, "-noout", "-text"], in: place)
    #expect(shape.output.contains("Public-Key: (\(bits) bit)"))
    #expect(shape.output.contains("Exponent: 65537"))

    let digest = try BuiltCommand.other(
      "sh", ["-c", "openssl pkey -pubin -in '\(publicFile)' -outform DER | openssl dgst -sha256 -r"], in: place)
    let fingerprint = String(digest.output.prefix(64))
    #expect(try text(pair, "fingerprint") == fingerprint)
    #expect(try text(pair, "keyId") == String(fingerprint.prefix(32)))
    #expect(publicFile.hasSuffix(".\(fingerprint.prefix(32)).pem"))
    #expect(privateFile == publicFile.replacing("keys/", with: "keys/private/"))
    #expect(pair["bits"] as? Int == bits)
  }

  @Test("What is printed tells each service which file is its own")
  func handover() throws {
    let pair = try generated()
    let issuer = try #require(pair["issuer"] as? [String: String])
    let resolver = try #require(pair["resolver"] as? [String: String])
    #expect(issuer == ["MANA_AI_PUBLIC_KEY_PEM_FILE": place.path(try text(pair, "publicFile"))])
    #expect(resolver == ["MANA_AI_PRIVATE_KEY_PEM_FILE": place.path(try text(pair, "privateFile"))])
    let plain = try run("keys", "generate", "--folder", "other")
    #expect(plain.output.contains("  issuer    MANA_AI_PUBLIC_KEY_PEM_FILE=\(place.path("other"))/2"))
    #expect(plain.output.contains("  resolver  MANA_AI_PRIVATE_KEY_PEM_FILE=\(place.path("other"))/private/2"))
  }

  @Test("Run twice, it makes two pairs; with a name, the second is refused and nothing has changed")
  func runTwice() throws {
    _ = try generated()
    _ = try generated()
    _ = try generated("--name", "resolver")
    let before = try place.contents("keys")
    let again = try run("keys", "generate", "--name", "resolver")
    #expect(again.code == 1)
    #expect(again.output.isEmpty)
    #expect(again.errors.contains(".resolver.") && again.errors.contains("exists already"))
    #expect(try place.contents("keys") == before)
    #expect(before.count == 7, "three pairs and the private folder")
    let list = try run("keys", "list")
    #expect(list.code == 0)
    #expect(list.output.split(separator: "\n").count == 4)
  }

  @Test("Of several that run at once with one name, one succeeds; without names, all do")
  func atOnce() throws {
    for (name, winners) in [(["--name", "one"], 1), ([], 4)] {
      let folder = ["--folder", "at-once-\(winners)"]
      let all = try (0..<4).map { _ in
        try BuiltCommand.start(BuiltCommand.mandate, ["keys", "generate"] + name + folder, in: place)
      }
      let outcomes = try all.map { try $0.wait() }
      #expect(outcomes.filter { $0.code == 0 }.count == winners)
      #expect(outcomes.allSatisfy { $0.code == 0 || ($0.code == 1 && $0.errors.contains("exists already")) })
      let list = try BuiltCommand.run(["keys", "list", "--json"] + folder, in: place)
      #expect(list.code == 0)
      #expect((list.json?["pairs"] as? [Any])?.count == winners)
    }
  }

  @Test("Show finds a key by id, by name and by path, and says the same each time")
  func shows() throws {
    let pair = try generated("--name", "resolver")
    let (id, path) = (try text(pair, "keyId"), try text(pair, "publicFile"))
    let outcomes = try [id, "resolver", path, "./\(path)"].map { try run("keys", "show", $0, "--json") }
    #expect(outcomes.allSatisfy { $0.code == 0 })
    let answer = try #require(outcomes[0].json)
    #expect(try text(answer, "pem") == String(contentsOfFile: place.path(path), encoding: .utf8))
    let jwk = try #require(answer["jwk"] as? [String: String])
    #expect(jwk["kty"] == "RSA" && jwk["alg"] == "RSA-OAEP-256" && jwk["use"] == "enc" && jwk["kid"] == id)
    #expect(jwk["e"] == "AQAB")
    let modulus = try BuiltCommand.other("openssl", ["rsa", "-pubin", "-in", path, "-noout", "-modulus"], in: place)
    let n = try #require(jwk["n"]).replacing("-", with: "+").replacing("_", with: "/")
    let bytes = try #require(Data(base64Encoded: n + String(repeating: "=", count: (4 - n.count % 4) % 4)))
    #expect(modulus.output == "Modulus=\(bytes.map { String(format: "%02X", $0) }.joined())\n")
    #expect(try outcomes.allSatisfy { try #require($0.json?["jwk"] as? [String: String]) == jwk })
    let plain = try run("keys", "show", id)
    #expect(plain.output.contains("sha256:" + (try text(pair, "fingerprint"))))
    #expect(plain.output.contains("-----BEGIN PUBLIC KEY-----"))
  }

  @Test("A key that is not there is refused with the one that was meant, an unknown folder with what to do")
  func absent() throws {
    _ = try generated("--name", "resolver")
    let near = try run("keys", "show", "resolvr")
    #expect(near.code == 1 && near.errors == "mandate: `resolvr` is no key in keys; did you mean resolver?\n")
    let far = try run("keys", "show", "other")
    #expect(far.code == 1 && far.errors.contains("mandate keys list --folder keys"))
    let folder = try run("keys", "list", "--folder", "elsewhere")
    #expect(folder.code == 1 && folder.errors.contains("mandate keys generate --folder elsewhere"))
    let path = try run("keys", "show", "keys/none.pem")
    #expect(path.code == 1 && path.errors.contains("does not exist"))
  }

  @Test("No command opens a private half, whatever path leads there")
  func privateHalves() throws {
    let path = try text(try generated(), "privateFile")
    _ = try place.link("keys/way", to: "private")
    for wanted in [path, place.path(path), path.replacing("private/", with: "private/../private/")] {
      let outcome = try run("keys", "show", wanted)
      #expect(outcome.code == 1)
      #expect(outcome.errors.contains("which no command reads"))
    }
    #expect(try run("keys", "show", path.replacing("private/", with: "way/")).code == 1)
    // Whatever stands in the file is of no interest, so nothing looks at it.
    try place.write(path, "not a key", mode: 0o600)
    let list = try run("keys", "list")
    #expect(list.code == 0 && list.output.contains("present"))
  }

  @Test("The list of public halves alone is clean: that is what a checkout has")
  func publicOnly() throws {
    _ = try generated()
    try FileManager.default.removeItem(atPath: place.path("keys/private"))
    try place.write("keys/README.md", "text", mode: 0o644)
    let list = try run("keys", "list")
    #expect(list.code == 0)
    #expect(list.output.contains("absent"))
    _ = try place.makeFolder("empty")
    let empty = try run("keys", "list", "--folder", "empty")
    #expect(empty.code == 0 && empty.output.contains("no pair in empty yet"))
  }

  @Test("The list names each thing that is wrong, and ends with 1")
  func listsProblems() throws {
    let pair = try generated()
    let (publicFile, privateFile) = (try text(pair, "publicFile"), try text(pair, "privateFile"))
    #expect(try problems() == [])
    func expect(_ part: String, _ damage: () throws -> Void) throws {
      try damage()
      let found = try problems()
      #expect(found.count == 1 && found[0].contains(part), "\(found)")
      #expect(try run("keys", "list").code == 1)
    }
    let manager = FileManager.default
    func chmod(_ path: String, _ mode: Int) throws {
      try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: place.path(path))
    }
    try expect("\(privateFile) can be used by others than its owner (mode 0644)") { try chmod(privateFile, 0o644) }
    try chmod(privateFile, 0o600)
    try expect("keys/private can be used by others") { try chmod("keys/private", 0o755) }
    try chmod("keys/private", 0o700)
    try expect("keys can be changed by anybody") { try chmod("keys", 0o777) }
    try chmod("keys", 0o755)
    try expect("\(publicFile) can be changed by anybody") { try chmod(publicFile, 0o646) }
    try chmod(publicFile, 0o644)

    let renamed = publicFile.replacing(".pem", with: "0.pem")
    try expect("mv \(renamed) keys/") {
      try manager.removeItem(atPath: place.path(privateFile))
      try manager.moveItem(atPath: place.path(publicFile), toPath: place.path(renamed))
    }
    try expect("is not base64") { try place.write(renamed, "-----BEGIN PUBLIC KEY-----\n!\n", mode: 0o644) }
    try expect("is a symbolic link") {
      try manager.removeItem(atPath: place.path(renamed))
      _ = try place.link(publicFile, to: "/etc/passwd")
    }
    try manager.removeItem(atPath: place.path(publicFile))
    try expect("has no public half; make it") { try place.write(privateFile, "never read", mode: 0o600) }
  }

  @Test("A private key among the public ones is named as what it is")
  func privateAmongPublic() throws {
    let pair = try generated()
    let text = try String(contentsOfFile: place.path(try text(pair, "privateFile")), encoding: .utf8)
    try place.write("keys/slip.pem", text, mode: 0o600)
    let found = try problems()
    #expect(
      found.count == 1 && found[0].contains("keys/slip.pem: This is a private key where the public one is wanted"))
    let shown = try run("keys", "show", "keys/slip.pem")
    #expect(shown.code == 1 && shown.errors.contains("openssl pkey -in keys/slip.pem -pubout"))
  }

  @Test("Whoever names a file writes no command for the one who reads the advice about it")
  func adviceIsQuoted() throws {
    let pair = try generated()
    let name = "keys/$(touch taken) a'b.pem"
    let text = try String(contentsOfFile: place.path(try text(pair, "publicFile")), encoding: .utf8)
    try place.write(name, text, mode: 0o644)
    let found = try problems()
    let move = try #require(found.count == 1 ? found[0].firstRange(of: "mv ") : nil)
    #expect(try BuiltCommand.other("sh", ["-c", String(found[0][move.lowerBound...])], in: place).code == 0)
    #expect(!FileManager.default.fileExists(atPath: place.path(name)))
    #expect(try place.names == ["keys"])
  }

  @Test(
    "A symbolic link is not followed to where a key would be written", arguments: ["keys", "keys/", "keys/private"])
  func links(target: String) throws {
    _ = try place.makeFolder("real")
    if target == "keys/private" { _ = try place.makeFolder("keys", mode: 0o755) }
    let name = target.hasSuffix("/") ? String(target.dropLast()) : target
    _ = try place.link(name, to: place.path("real"))
    let outcome = try run("keys", "generate", "--folder", target.hasPrefix("keys/p") ? "keys" : target)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("is a symbolic link"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path("real")).isEmpty)
  }

  @Test("A folder that cannot be written, or that others could change, is refused")
  func badFolders() throws {
    // Root may write everywhere but into the kernel's own file systems.
    let closed = geteuid() == 0 ? "/sys/mandate-keys" : try place.makeFolder("closed", mode: 0o500) + "/keys"
    let outcome = try run("keys", "generate", "--folder", closed)
    #expect(outcome.code == 1)
    #expect(outcome.errors.hasPrefix("mandate: \(closed) cannot be used: "))

    try place.write("file", "x", mode: 0o600)
    #expect(try run("keys", "generate", "--folder", "file").errors.contains("is not a folder"))
    #expect(try run("keys", "generate", "--folder", "no/keys").errors.contains("does not exist"))
    _ = try place.makeFolder("anybody", mode: 0o777)
    #expect(try run("keys", "generate", "--folder", "anybody").errors.contains("can be changed by anybody"))
    _ = try place.makeFolder("wide", mode: 0o755)
    _ = try place.makeFolder("wide/private", mode: 0o755)
    #expect(try run("keys", "generate", "--folder", "wide").errors.contains("can be used by others"))
    #expect(try place.contents("wide") == ["private"])
  }

  @Test("Wrong usage ends with 2 and tries nothing")
  func wrongUsage() throws {
    for arguments in [
      [], ["keys"], ["keyz", "list"], ["keys", "lst"], ["keys", "generate", "--bits", "1024"],
      ["keys", "generate", "--name", "A"], ["keys", "generate", "--force"], ["keys", "show"], ["keys", "list", "x"],
      ["keys", "generate", "--folder="],
    ] {
      let outcome = try BuiltCommand.run(arguments, in: place)
      #expect(outcome.code == 2, "\(arguments)")
      #expect(outcome.output.isEmpty && outcome.errors.hasPrefix("mandate: "))
    }
    #expect(try place.names.isEmpty)
  }

  @Test("Help and version end with 0, on standard output")
  func help() throws {
    for arguments in [["--help"], ["keys", "--help"], ["keys", "show", "-h"], ["--version"]] {
      let outcome = try BuiltCommand.run(arguments, in: place, environment: ["MANDATE_NONSENSE": "1"])
      #expect(outcome.code == 0 && outcome.errors.isEmpty && !outcome.output.isEmpty)
    }
  }

  @Test("A setting that nobody knows stops every command")
  func unknownSetting() throws {
    let outcome = try run("keys", "generate", environment: ["MANDATE_LOG_LEVL": "debug"])
    #expect(outcome.code == 2)
    #expect(outcome.errors == "mandate: MANDATE_LOG_LEVL is not a setting: did you mean MANDATE_LOG_LEVEL?\n")
    #expect(try place.names.isEmpty)
    #expect(try run("keys", "generate", environment: ["MANDATE_LOG_LEVEL": "debug"]).code == 0)
  }

  @Test("With --json, errors are JSON too")
  func jsonErrors() throws {
    for arguments in [["keys", "list", "--json"], ["--json", "keys", "lst"], ["--json"]] {
      let outcome = try BuiltCommand.run(arguments, in: place)
      #expect(outcome.code != 0 && outcome.output.isEmpty)
      #expect(outcome.errorJSON?["error"] is String)
    }
  }

  @Test("An answer that cannot be written is no success")
  func fullDisk() throws {
    let full = try BuiltCommand.other("sh", ["-c", "mandate keys generate > /dev/full"], in: place)
    #expect(full.code == 1)
    #expect(full.errors == "mandate: standard output cannot be written: no space left on device.\n")
  }

  @Test("A reader that has gone ends the command with an exit code and a sentence, not with a signal")
  func closedPipe() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let outcome = try BuiltCommand.start(BuiltCommand.mandate, ["--help"], in: place, output: pipe).wait()
    #expect(outcome.code == 1)
    #expect(outcome.errors == "mandate: standard output cannot be written: broken pipe.\n")
  }

  @Test("A terminal is told that 4096 bits take time; a pipe is not")
  func progress() throws {
    let wait = "Making a pair of 4096 bits"
    let terminal = try BuiltCommand.other(
      "script", ["-qec", "\(BuiltCommand.mandate) keys generate --bits 4096", "/dev/null"], in: place)
    #expect(terminal.code == 0)
    #expect(terminal.output.contains(wait))
    let pipe = try run("keys", "generate", "--bits", "4096", "--folder", "other")
    #expect(pipe.code == 0 && pipe.errors.isEmpty && !pipe.output.contains(wait))
  }

  @Test(
    "With too little locked memory no key is made, and the sentence says what to raise",
    arguments: [(0, 1), (64, 1), (256, 0), (1024, 0)])
  func lockedMemory(kibibytes: Int, code: Int32) throws {
    // Root may lock what it likes until it gives that right away.
    let drop = geteuid() == 0 ? ["setpriv", "--bounding-set", "-ipc_lock"] : []
    let limited = drop + ["prlimit", "--memlock=\(kibibytes << 10)", BuiltCommand.mandate, "keys", "generate"]
    let outcome = try BuiltCommand.other(limited[0], Array(limited.dropFirst()), in: place)
    #expect(outcome.code == code)
    #expect(code == 0 || outcome.errors.contains("ulimit -l 8192"))
    #expect(try place.contents(".").contains { $0.hasSuffix(".pem") } == (code == 0))
  }
}
