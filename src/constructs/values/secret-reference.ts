import { refuse } from '../internal/errors';

/** Anything that has a name in the cluster: a cdk8s-plus `ISecret`, `IConfigMap` or `IPersistentVolumeClaim` of any version is one. */
export interface INamedObject {
  /** `metadata.name` of the object. */
  readonly name: string;
}

/** One key of a Secret. Secrets are only ever referred to: a manifest that holds one is stored in plain text in many places. */
export class SecretReference {
  /** The key `key` of the Secret object `secret`. */
  public static fromSecret(secret: INamedObject, key: string): SecretReference {
    return new SecretReference(secret.name, key);
  }

  /** The key `key` of the Secret named `secretName` in the namespace of the construct that uses the reference. */
  public static fromSecretName(secretName: string, key: string): SecretReference {
    return new SecretReference(secretName, key);
  }

  private constructor(
    /** Name of the Secret. */
    public readonly secretName: string,
    /** Key inside the Secret. */
    public readonly key: string,
  ) {
    if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(secretName) || secretName.length > 253 || !/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
      refuse(undefined, {
        code: 'AIG420',
        what: 'a secret must be named, not given',
        value: { secretName, key: key.length > 12 ? `${key.slice(0, 4)}…` : key },
        allowed: 'the name of a Secret and one of its keys',
        fix: 'store the value in a Secret and pass SecretReference.fromSecretName(name, key)',
      });
    }
  }
}
