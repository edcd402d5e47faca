"""`python -m keras_gans.cli` is `keras-gans`."""

from keras_gans.cli import main

if __name__ == "__main__":
    main()
