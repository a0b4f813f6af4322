import type { PolicyRule } from '../authorization/policy-rules.ts';

export const READ = ['get', 'list', 'watch'];
export const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
export const RECORD = ['create', 'patch', 'update'];

export const rule = (verbs: string[], apiGroups: string | string[], ...resources: string[]): PolicyRule => ({
  verbs,
  apiGroups: typeof apiGroups === 'string' ? [apiGroups] : apiGroups,
  resources,
});

/** Of paths that are no resources. */
export const paths = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

/** The same for one object only. */
export const named = (name: string, one: PolicyRule): PolicyRule => ({ ...one, resourceNames: [name] });

export const events = rule(RECORD, ['', 'events.k8s.io'], 'events');
