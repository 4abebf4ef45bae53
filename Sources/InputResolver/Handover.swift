// What has one owner passes through queues and task groups in a box that gives it out once.

import Store
import Synchronization

final class MissionBox: Sendable {
  private let mission: Mutex<ReleasedMission?>

  init(_ mission: consuming ReleasedMission) { self.mission = Mutex(consume mission) }

  func take() -> ReleasedMission? { mission.withLock { $0.take() } }
}
