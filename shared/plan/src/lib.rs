//! The plan as data: indicators, measures, targets, units over time and the reporting calendar.
