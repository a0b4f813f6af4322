import { join } from 'node:path';
import type { PortMapping, SandboxConfig } from '@periplus/cri';
import { podLabels } from './container-names.ts';
import type { DnsConfig } from './dns.ts';
import { fqdnOf, hostnameOf } from './hosts-file.ts';
import type { Pod } from './pod-types.ts';
import { qosClassOf } from './resources.ts';
import { sandboxSecurity } from './security.ts';

/** Numbers of CRI's Protocol. */
const PROTOCOL: Record<string, number> = { TCP: 0, UDP: 1, SCTP: 2 };

export interface SandboxSettings {
  logDirectory: string;
  /** Control groups of all pods: "/kubepods". */
  cgroupRoot: string;
  seccompDirectory: string;
  clusterDomain: string;
  dns: DnsConfig;
}

export const podLogDirectory = (logs: string, { metadata }: Pod): string =>
  join(logs, `${metadata.namespace}_${metadata.name}_${metadata.uid}`);

/** The pod whose logs are in a directory of that name; undefined when it is none of `podLogDirectory`. */
export const podUidOfLogs = (name: string): string | undefined => /^[^_]+_[^_]+_([^_]+)$/.exec(name)?.[1];

/** The pod's control group: pods of one quality of service stand together, as with the kubelet. */
export function podCgroup(cgroupRoot: string, pod: Pod): string {
  const qos = qosClassOf(pod);
  return join(cgroupRoot, ...(qos === 'Guaranteed' ? [] : [qos.toLowerCase()]), `pod${pod.metadata.uid}`);
}

const portMappings = ({ spec }: Pod): PortMapping[] =>
  spec.containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ protocol = 'TCP', containerPort, hostPort, hostIP }) => ({
        protocol: PROTOCOL[protocol] ?? 0,
        containerPort,
        hostPort,
        hostIp: hostIP ?? '',
      })),
  );

export function sandboxConfig(pod: Pod, attempt: number, settings: SandboxSettings): SandboxConfig {
  const { metadata, spec } = pod;
  const fqdn = fqdnOf(pod, settings.clusterDomain);
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, attempt },
    // On the node's network the node's own name shows.
    hostname: spec.hostNetwork ? '' : spec.setHostnameAsFQDN && fqdn ? fqdn : hostnameOf(pod),
    logDirectory: podLogDirectory(settings.logDirectory, pod),
    dnsConfig: settings.dns,
    portMappings: spec.hostNetwork ? [] : portMappings(pod),
    labels: { ...metadata.labels, ...podLabels(pod) },
    annotations: { ...metadata.annotations },
    linux: {
      cgroupParent: podCgroup(settings.cgroupRoot, pod),
      securityContext: sandboxSecurity(pod, settings.seccompDirectory),
      sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    },
  };
}
