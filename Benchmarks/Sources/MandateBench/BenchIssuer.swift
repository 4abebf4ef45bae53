// The issuer as a process of its own, with a token for each user. It ends with this process.

import Contracts
import Cryptography
import Foundation
import HTTPFetching
import Store
import Synchronization

final class BenchIssuer: Sendable {
  /// From its start to its listening, all checks kept, as it says itself.
  let millisecondsToReady: Double
  private let process: Int32
  private let client: HTTPClient
  private let address: String
  private let tokens: [String]
  private let errors: FileHandle
  /// There is one row that starts one.
  private static let running = Atomic<Int32>(0)

  init(_ database: BenchDatabase, users: [String], connections: Int) throws {
    let key = try Ed25519PrivateKey.generate()
    var tokens: [String] = []
    for user in users { tokens.append(try Self.token(user, key)) }
    self.tokens = tokens
    let x = Base64URL.encode(key.publicKey().raw.span)
    let keys = #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"1","x":"\#(x)"}]}"#
    let kek = try SecureRandom.bytes(32)
    let process = Process()
    process.executableURL = Bundle.main.bundleURL.appending(path: "mandate-issuer")
    process.environment = [
      "MANDATE_DATABASE_URL": database.url(.issuer), "MANDATE_DATABASE_CONNECTIONS": "\(connections)",
      "MANA_AUTH_KEK": Base64.encode(kek.span), "MANDATE_TOKEN_ISSUER": "https://bench.test",
      "MANDATE_JWKS_FILE": try BenchFile.write(keys, to: database.folder + "/jwks.json"),
      "MANA_AI_PUBLIC_KEY_PEM": try RSAPrivateKey.generate(bits: 2048).publicKey().pem(),
      "MANDATE_PUBLIC_LISTEN": "127.0.0.1:0", "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0",
      "MANA_SERVICE_KEY": "kR7vQ2nX9sLd4TzB8wYh3MfJ",
    ]
    process.standardInput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    self.process = process.processIdentifier
    self.errors = errors.fileHandleForReading
    var (text, found): (String, (address: String, took: Double)?) = ("", nil)
    while found == nil {
      let data = errors.fileHandleForReading.availableData
      guard !data.isEmpty else { throw YardstickProblem(why: "the issuer did not start: \(text)") }
      text += String(decoding: data, as: UTF8.self)
      found = text.split(separator: "\n").compactMap(Self.listening).first
    }
    address = "http://" + (found?.address ?? "")
    millisecondsToReady = found?.took ?? 0
    client = try HTTPClient()
    Self.running.store(process.processIdentifier, ordering: .relaxed)
    atexit { kill(BenchIssuer.running.load(ordering: .relaxed), SIGTERM) }
    // Nobody may write into a full pipe.
    errors.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
  }

  /// The first address is the users' one.
  private static func listening(_ line: Substring) -> (address: String, took: Double)? {
    guard let said = try? JSONValue(parsing: String(line)), said["event"]?.text == "Listening.",
      let address = said["address"]?.text
    else { return nil }
    return (address, said["took"]?.number?.double ?? 0)
  }

  private static func token(_ user: String, _ key: borrowing Ed25519PrivateKey) throws -> String {
    func part(_ text: String) -> String {
      let bytes = Array(text.utf8)
      return Base64URL.encode(bytes.span)
    }
    let end = Int(Date().timeIntervalSince1970) + 86_400
    let signed =
      part(#"{"alg":"EdDSA","typ":"JWT","kid":"1"}"#) + "."
      + part("{\"sub\":\"\(user)\",\"iss\":\"https://bench.test\",\"aud\":\"mana\",\"exp\":\(end)}")
    let bytes = Array(signed.utf8)
    let proof = try key.sign(bytes.span)
    return signed + "." + Base64URL.encode(proof.span)
  }

  func post(_ path: String, _ body: String, as user: Int) async throws {
    var request = HTTPRequest(
      .post, try HTTPURL(address + path), body: HTTPBody(Array(body.utf8), contentType: "application/json"))
    request.headers = [(name: "Authorization", value: "Bearer \(tokens[user])")]
    let response = try await client.send(request)
    guard response.status == 200 else {
      throw YardstickProblem(
        why: "the issuer answered \(response.status): \(String(decoding: response.body, as: UTF8.self))")
    }
  }

  /// The most that it ever had in memory.
  func peakKiB() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    guard let peak = line?.split(separator: " ").compactMap({ Int($0) }).first else {
      throw YardstickProblem(why: "the issuer is gone")
    }
    return peak
  }
}
