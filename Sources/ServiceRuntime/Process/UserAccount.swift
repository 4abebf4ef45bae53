// A user of this machine, for a process that runs as root and leaves part of its work to somebody with fewer rights.

import Glibc

package struct UserAccount: Sendable, Equatable {
  package let name: String
  package let user: UInt32
  package let group: UInt32

  /// Nil where there is no such user.
  package init?(named name: String) {
    guard let entry = unsafe getpwnam(name) else { return nil }
    (self.name, user, group) = unsafe (name, entry.pointee.pw_uid, entry.pointee.pw_gid)
  }
}

extension Folder {
  /// Gives what stands under this name, links not followed, to another user.
  package func give(_ name: String, to account: UserAccount) throws(FileProblem) {
    try change { folder in unsafe fchownat(folder, name, account.user, account.group, AT_SYMLINK_NOFOLLOW) }
  }

  /// Gives a file or folder another name in the same folder, in one step; what had that name before is replaced.
  package func rename(_ name: String, to newName: String) throws(FileProblem) {
    try change { folder in unsafe Glibc.renameat(folder, name, folder, newName) }
  }
}
