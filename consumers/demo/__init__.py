"""A day of real flights through the built-in tasks, to watch; `headrace demo`.

dataset → timetable → programme   rows of 2013, their events, and what is played of them when
player                            publishes the programme at a chosen speed
mail_stub, airline_stub           servers with believable failures
stage, worker_process             broker, folders and two real workers
readings → picture → screen       what the workers' metrics say, live
expectation, tally → summary      what must have happened, what the topics hold, and whether both add up
conductor                         all of it in order, and everything stopped again
"""
