// The verbs besides `verify`. They stand in the overview and are found by their names.

enum VectorVerbs {
  static let all: [VectorVerb] = [GenerateVerb.verb]
}
