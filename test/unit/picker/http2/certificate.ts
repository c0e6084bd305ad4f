import { generate } from 'selfsigned';

/** Key and certificate for 127.0.0.1, in PEM. */
export async function certificate(commonName = 'localhost'): Promise<{ key: string; cert: string }> {
  const made = await generate([{ name: 'commonName', value: commonName }], { keyType: 'ec', curve: 'P-256' });
  return { key: made.private, cert: made.cert };
}
