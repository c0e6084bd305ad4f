import { runScraperWorker } from './scraper-worker';

// What the scraper's thread runs. The build puts it into the picker's bundle as text, so that the thread holds this and not all of the picker.
runScraperWorker();
