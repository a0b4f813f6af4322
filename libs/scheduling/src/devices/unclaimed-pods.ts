import type { PodInfo } from '../pod-info.ts';
import type { PodClaim } from './device-user.ts';

const claimsOf = ({ shape }: PodInfo): readonly PodClaim[] => shape.devices?.claims ?? [];

/** Pods that are not looked at before the claims of devices that they name are there. */
export class UnclaimedPods {
  private readonly pods = new Map<string, PodInfo>();
  /** By claim, the uids of those that name it. */
  private readonly byClaim = new Map<string, Set<string>>();

  hold(pod: PodInfo): void {
    this.release(pod.uid);
    this.pods.set(pod.uid, pod);
    for (const { key } of claimsOf(pod)) {
      if (key !== null) this.byClaim.set(key, (this.byClaim.get(key) ?? new Set()).add(pod.uid));
    }
  }

  release(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    this.pods.delete(uid);
    for (const { key } of claimsOf(pod)) {
      const uids = this.byClaim.get(key ?? '');
      uids?.delete(uid);
      if (uids?.size === 0) this.byClaim.delete(key!);
    }
  }

  naming(claim: string): PodInfo[] {
    return [...(this.byClaim.get(claim) ?? [])].map((uid) => this.pods.get(uid)!);
  }
}
