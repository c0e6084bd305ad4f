/** Codes of what can be wrong with the picker's files and flags (docs/errors.md). */
export const ConfigCode = {
  /** Not readable, or neither YAML nor JSON. */
  SYNTAX: 'AIG500',
  /** `apiVersion` or `kind` is not one that the file may have. */
  WRONG_KIND: 'AIG501',
  UNKNOWN_KEY: 'AIG502',
  /** A value of the wrong type, form or range. */
  BAD_VALUE: 'AIG503',
  MISSING_KEY: 'AIG504',
  DUPLICATE_NAME: 'AIG505',
  /** A name that refers to nothing. */
  NO_SUCH_NAME: 'AIG506',
  UNKNOWN_PLUGIN: 'AIG507',
  /** A plugin type of llm-d that this picker does not have. */
  UNSUPPORTED_PLUGIN: 'AIG508',
  /** A plugin where another kind is wanted, or an Alpha one without leave. */
  MISPLACED_PLUGIN: 'AIG509',
  /** Several of which only one may be given, or none of which one must be. */
  NOT_EXACTLY_ONE: 'AIG510',
  PARTIAL_WEIGHTS: 'AIG511',
  FALLBACK_CYCLE: 'AIG512',
  /** A section that the file format has and this picker does not implement. */
  UNSUPPORTED_SECTION: 'AIG513',
  /** A limit on an identity that nothing establishes. */
  UNVERIFIED_KEY: 'AIG514',
  UNKNOWN_FLAG: 'AIG520',
  BAD_FLAG_VALUE: 'AIG521',
  REFUSED_FLAG: 'AIG522',
  FLAG_COMBINATION: 'AIG523',
  /** A certificate, key or other file that a flag names. */
  UNUSABLE_FILE: 'AIG530',
  /** A file of plugins that cannot be loaded, or a plugin in it that cannot be made. */
  UNUSABLE_PLUGIN: 'AIG532',
  /** A port or address that cannot be listened on. */
  CANNOT_LISTEN: 'AIG531',
} as const;
