import { refuse } from '../internal/errors';

/**
 * What tells one session from another, so that all requests of a session go to the same of a model's targets. A hash of it chooses, so every
 * replica chooses alike and remembers nothing, and when weights change only as many sessions move as must.
 */
export class Stickiness {
  /**
   * A header that clients send. Requests without it are spread by chance. Who chooses the value chooses the target, so take `client` where
   * that matters.
   *
   * @throws AIG492 for what is no header name
   */
  public static header(name: string): Stickiness {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/i.test(name)) {
      const fix = 'use letters, digits and dashes, at most 128';
      refuse(undefined, { code: 'AIG492', what: 'this is no header name', value: name, fix });
    }
    return new Stickiness('header', name.toLowerCase());
  }

  /** The verified client. Needs `identity` on the gateway. */
  public static client(): Stickiness {
    return new Stickiness('client', undefined);
  }

  private constructor(
    /** `header` or `client`. */
    public readonly source: 'header' | 'client',
    /** Name of the header, in lower case. */
    public readonly header: string | undefined,
  ) {}
}
