import { ConfigCode } from '../../picker-config/codes';
import type { Problem } from '../../shared/problem';
import type { Http2TlsOptions } from '../http2/server';
import { opensslCiphers } from '../server/cipher-suites';
import type { TextServerTls } from '../server/text-server';
import { isCertificate, readMaterial, selfSignedMaterial } from '../server/tls-material';
import { readText } from '../server/watched-file';
import type { ProgramSettings, TlsSettings } from './settings';

/** Key, certificate and choices of the port of ext_proc; faults are added to `problems`. */
export async function grpcTls(settings: TlsSettings | undefined, problems: Problem[]): Promise<Http2TlsOptions | undefined> {
  if (settings === undefined) return undefined;
  const material = settings.directory === undefined ? await selfSignedMaterial() : readMaterial(settings.directory, 'cert-path');
  if ('problems' in material) {
    problems.push(...material.problems);
    return undefined;
  }
  const ciphers = opensslCiphers(settings.cipherSuites);
  return { ...material, minVersion: settings.minVersion, ...(ciphers === undefined ? {} : { ciphers }) };
}

/** Key, certificate and clients' CA of the metrics port; faults are added to `problems`. */
export function metricsTls(settings: ProgramSettings['metricsTls'], problems: Problem[]): TextServerTls | undefined {
  if (settings === undefined) return undefined;
  const material = readMaterial(settings.directory, 'metrics-cert-dir');
  if ('problems' in material) problems.push(...material.problems);
  const { clientCaFile } = settings;
  const ca = clientCaFile === undefined ? undefined : readText(clientCaFile);
  if (ca !== undefined && 'error' in ca) {
    const what = `the file of --metrics-client-ca-file cannot be read: ${ca.error}`;
    problems.push({ code: ConfigCode.UNUSABLE_FILE, what, fix: 'correct the path or mount the file', where: clientCaFile! });
    return undefined;
  }
  if (ca !== undefined && !isCertificate(ca.text)) {
    const what = 'the file of --metrics-client-ca-file is not a PEM certificate';
    problems.push({ code: ConfigCode.UNUSABLE_FILE, what, fix: 'write the CA in PEM', where: clientCaFile! });
    return undefined;
  }
  if ('problems' in material) return undefined;
  return ca === undefined ? material : { ...material, clientCa: ca.text };
}
