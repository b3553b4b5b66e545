"""The examples, started as their READMEs say."""
