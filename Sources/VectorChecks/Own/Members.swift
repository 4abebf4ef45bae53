// An object of a vector file whose shape has been checked: what is asked for is there, or the check itself is wrong.

import Contracts

struct Members: Sendable {
  let object: JSONObject

  init(_ json: JSONValue) {
    guard let object = json.object else { preconditionFailure("the shape said that this is an object") }
    self.object = object
  }

  func value(_ name: String) -> JSONValue {
    guard let value = object[name] else { preconditionFailure("the shape said that there is a member \(name)") }
    return value
  }

  func has(_ name: String) -> Bool { object[name] != nil }
  func isNull(_ name: String) -> Bool { value(name).isNull }

  func text(_ name: String) -> String {
    guard let text = value(name).text else { preconditionFailure("the shape said that \(name) is a string") }
    return text
  }

  func optionalText(_ name: String) -> String? { isNull(name) ? nil : text(name) }

  func bytes(_ name: String) -> [UInt8] {
    guard let bytes = Hex.decode(text(name)) else { preconditionFailure("the shape said that \(name) is hex") }
    return bytes
  }

  func instant(_ name: String) -> Instant {
    guard let instant = Instant(iso: text(name)) else { preconditionFailure("the shape said that \(name) is a time") }
    return instant
  }

  func integer(_ name: String) -> Int {
    guard let integer = value(name).number?.integer else {
      preconditionFailure("the shape said that \(name) is an integer")
    }
    return integer
  }

  func number(_ name: String) -> Double? { value(name).number?.double }

  func truth(_ name: String) -> Bool {
    guard let truth = value(name).bool else { preconditionFailure("the shape said that \(name) is true or false") }
    return truth
  }

  func texts(_ name: String) -> [String] {
    guard let texts = value(name).texts else { preconditionFailure("the shape said that \(name) is a list of strings") }
    return texts
  }

  func list(_ name: String) -> [Members] {
    guard let list = value(name).array else { preconditionFailure("the shape said that \(name) is a list") }
    return list.map(Members.init)
  }

  var isValid: Bool { text("result") == "valid" }
}
