"""The one door: every call goes in and every answer comes out here, whoever asks."""
