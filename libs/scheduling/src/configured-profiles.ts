import { KUBERNETES_YAML } from '@periplus/apimachinery';
import { ConfigError, ConfigReader } from '@periplus/component';
import { parse } from 'yaml';
import { schedulingProfiles } from './configuration.ts';
import { DEFAULT_PROFILE, type Profile } from './profile.ts';

/**
 * The profiles of the KubeSchedulerConfiguration, in YAML or JSON, that the field `profiles` of a configuration names;
 * Kubernetes' default one when it names none. Throws ConfigError.
 */
export function configuredProfiles(reader: ConfigReader): readonly Profile[] {
  if (!reader.has('profiles')) return [DEFAULT_PROFILE];
  const text = reader.file('profiles').toString();
  let parsed: unknown;
  try {
    parsed = parse(text, KUBERNETES_YAML);
  } catch (error) {
    throw new ConfigError('profiles', `cannot be parsed: ${(error as Error).message}`);
  }
  const configuration = new ConfigReader(parsed, 'profiles');
  const profiles = schedulingProfiles(configuration);
  configuration.end();
  return profiles;
}
