/** Version of what a plugin of a user and the picker agree on. A picker takes its own version only. Alone, because it goes into bundles. */
export const PLUGIN_CONTRACT = 1;
