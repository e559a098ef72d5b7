"""Sends a file with tuspy, every chunk with its checksum, and prints where the upload is and what media it became.

send.py ADDRESS TOKEN FILE CHUNK [--chunks N] [--url URL]     N chunks and no more; going on with an upload begun before
"""

import argparse
import os

from tusclient.client import TusClient

parser = argparse.ArgumentParser()
parser.add_argument("address")
parser.add_argument("token")
parser.add_argument("file")
parser.add_argument("chunk", type=int)
parser.add_argument("--chunks", type=int)
parser.add_argument("--url")
asked = parser.parse_args()

client = TusClient(f"{asked.address}/uploads", headers={"Authorization": f"Bearer {asked.token}"})
uploader = client.uploader(
    asked.file,
    url=asked.url,
    chunk_size=asked.chunk,
    upload_checksum=True,
    metadata={"filename": os.path.basename(asked.file), "filetype": "video/webm"},
)
if asked.chunks is None:
    uploader.upload()
else:
    for _ in range(asked.chunks):
        uploader.upload_chunk()
print(uploader.url)
print(uploader.request.response_headers.get("hearback-media", ""))
