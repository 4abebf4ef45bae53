// An error as a client sees it: `{error, code}`, and on 401 and 500 also the pair that the older clients read.

/// The sentence is ours and constant; nothing a client sent is ever part of it.
package struct Problem: Sendable, Equatable {
  package let status: Int
  package let code: String
  package let sentence: String
  package var headers = HTTPHeaders()

  package init(_ status: Int, _ code: StaticString, _ sentence: StaticString) {
    self.status = status
    self.code = code.description
    self.sentence = sentence.description
  }

  package static let badRequest = Problem(400, "BAD_REQUEST", "the request is malformed")
  package static let notFound = Problem(404, "NOT_FOUND", "there is nothing here")
  package static let internalError = Problem(500, "INTERNAL", "internal error")
  /// One for a missing, a wrong and a repeated key, and for a peer that is not on the list.
  package static let serviceUnauthorized = Problem(401, "UNAUTHORIZED", "invalid or missing service key")
  static let handlerDeadline = Problem(504, "TIMEOUT", "the service did not answer in time")

  package var response: HTTPResponse {
    var text = "{\"error\":\(Self.quoted(sentence)),\"code\":\(Self.quoted(code))"
    if status == 401 || status == 500 { text += ",\"statusCode\":\(status),\"message\":\(Self.quoted(sentence))" }
    var response = HTTPResponse.json(Array((text + "}").utf8), status: status)
    for field in headers.fields { response.headers.add(field.name, field.value) }
    return response
  }

  /// Sentences are constants of ours; this keeps a quotation mark in one from breaking the answer.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"", "\\": quoted += "\\\(character)"
      case _ where character.value < 0x20: quoted += " "
      default: quoted.unicodeScalars.append(character)
      }
    }
    return quoted + "\""
  }
}
