"""What the processes of one test run share."""

#: Environment variable with a folder that lives as long as the run.
FOLDER_OF_THE_RUN = "FOLDER_OF_THE_TEST_RUN"
