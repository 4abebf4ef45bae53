// From the void pointers that libevent carries for us back to whom they belong. All of it is on a loop's thread, and
// whoever is pointed to is kept by the loop until it has taken its pointer back.

enum Callbacks {
  static func connection(_ argument: UnsafeMutableRawPointer?) -> Connection? {
    guard let argument = unsafe argument else { return nil }
    return unsafe Unmanaged<Connection>.fromOpaque(argument).takeUnretainedValue()
  }

  static func listener(_ argument: UnsafeMutableRawPointer?) -> ListenerLoop? {
    guard let argument = unsafe argument else { return nil }
    return unsafe Unmanaged<ListenerLoop>.fromOpaque(argument).takeUnretainedValue()
  }

  static func loop(_ argument: UnsafeMutableRawPointer?) -> Loop? {
    guard let argument = unsafe argument else { return nil }
    return unsafe Unmanaged<Loop>.fromOpaque(argument).takeUnretainedValue()
  }
}
