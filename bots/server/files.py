"""Files that users send into their conversation, and those that they can load."""

import mimetypes
from pathlib import Path

from pipecat.utils.file_storage import FileStorage, LocalFileStorage
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from bots.server.doors import holder
from bots.server.limits import LONGEST_BYTES
from bots.server.refusal import Refused
from bots.server.visits import Visits
from pipelines.settings import Settings


def storage(settings: Settings) -> FileStorage | None:
    """Where files that users send are kept; None where none can be sent."""
    if not settings.avatar_uploads_folder:
        return None
    most = settings.avatar_uploads_folder_max_files
    return LocalFileStorage(settings.avatar_uploads_folder, most)


class Files:
    """Takes and gives files."""

    def __init__(self, settings: Settings, visits: Visits, storage: FileStorage | None) -> None:
        self._folder = settings.avatar_downloads_folder
        self._visits = visits
        self._storage = storage

    def load(self, request: Request) -> Response:
        """A file of the downloads folder."""
        name = request.path_params["path"]
        folder = Path(self._folder).resolve()
        path = (folder / name).resolve()
        if not self._folder or not path.is_relative_to(folder) or not path.is_file():
            raise Refused(404, f"There is no file {name} here.")
        return FileResponse(path, filename=path.name)

    async def send(self, request: Request) -> Response:
        """Keep a file; one of a session is deleted when that ends."""
        session_id = request.path_params.get("session_id")
        visit = self._visits.find(session_id, holder(request).id) if session_id else None
        if not self._storage:
            raise Refused(503, "No files can be sent: start the server with --uploads-folder.")
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Refused(400, 'Send the file in a form, in its field "file".')
            content = await file.read(LONGEST_BYTES + 1)
            if len(content) > LONGEST_BYTES:
                raise Refused(413, f"The file is longer than {LONGEST_BYTES} bytes.")
            url = await self._storage.save(file.filename or "", content)
        if visit:
            self._visits.keep(visit, url)
        name = Path(file.filename or "").name
        guess, _ = mimetypes.guess_type(name, strict=False)
        media_type = guess or file.content_type or "application/octet-stream"
        source = {"type": "url", "url": url}
        return JSONResponse({"name": name, "source": source, "format": media_type})
