import { KUBERNETES_YAML } from '@periplus/apimachinery';
import { ConfigError, ConfigReader } from '@periplus/component';
import { parse } from 'yaml';
import { type SchedulerSettings, schedulerSettings } from './configuration.ts';
import { DEFAULT_PROFILE } from './profile.ts';
import { DEFAULT_BACKOFF } from './scheduling-queue.ts';

/**
 * What the KubeSchedulerConfiguration, in YAML or JSON, says that the field `profiles` of a configuration names;
 * Kubernetes' defaults when it names none. Throws ConfigError.
 */
export function configuredScheduler(reader: ConfigReader): SchedulerSettings {
  if (!reader.has('profiles')) return { profiles: [DEFAULT_PROFILE], backoff: DEFAULT_BACKOFF };
  const text = reader.file('profiles').toString();
  let parsed: unknown;
  try {
    parsed = parse(text, KUBERNETES_YAML);
  } catch (error) {
    throw new ConfigError('profiles', `cannot be parsed: ${(error as Error).message}`);
  }
  const configuration = new ConfigReader(parsed, 'profiles');
  const settings = schedulerSettings(configuration);
  configuration.end();
  return settings;
}
