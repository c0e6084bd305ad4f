export {
  type Scheduled,
  type ScheduledEndpoint,
  type ScheduleOptions,
  scheduleWith,
  type TestEndpoint,
  type TestRequest,
} from './schedule-with';
